"""Resolving with pip-tools: the resolver that `pip install` uses, and its errors."""
