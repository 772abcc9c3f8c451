"""Bitwise comparison of two records, with distances."""
