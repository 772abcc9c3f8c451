"""Spec to Lock: one file for each world that packages come from."""
