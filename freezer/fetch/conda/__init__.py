"""Conda channels: their addresses, their indexes (repodata), and the archives that they serve."""
