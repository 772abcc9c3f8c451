"""Servers that keep files."""
