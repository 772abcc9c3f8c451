"""Conda channels: addresses, indexes (repodata) and archives."""
