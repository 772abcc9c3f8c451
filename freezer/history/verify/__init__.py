"""Verifies a history: its entries, and the files that they name."""
