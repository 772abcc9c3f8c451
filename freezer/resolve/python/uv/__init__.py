"""Resolving with uv: the run, its answer, and its errors."""
