"""Spec to Lock: one file for each ecosystem that packages come from."""
