"""Conda packages: opened as untrusted, linked into the prefix, packed as chunks of a layer."""
