"""Wheels: opened without trust, installed by pip's rules, packed as chunks of a layer."""
