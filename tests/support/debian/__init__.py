"""Debian archives, packages and bases made for tests."""
