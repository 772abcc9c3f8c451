"""Finds an engine: addresses, Docker contexts, and the engine's properties."""
