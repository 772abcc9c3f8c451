"""Packages that are built from source when they are locked."""
