"""Wheels: opened as untrusted, installed by pip's rules, packed as chunks of a layer."""
