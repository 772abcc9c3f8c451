"""Comparing two records bit by bit, and measuring how far apart they are."""
