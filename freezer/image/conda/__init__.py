"""Conda packages: opened without trust, linked into the prefix, packed as chunks of a layer."""
