"""Runs in files: Freezer's own export, and tables for other programs."""
