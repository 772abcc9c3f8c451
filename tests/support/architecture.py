"""The rooms of Freezer, as tests of its imports and of its documentation know them."""

from __future__ import annotations

FLOORS = (
    ("cli", "api"),
    ("output",),
    ("flows",),
    ("resolve", "image", "check", "history", "data", "ledger", "governance"),
    ("fetch", "engine"),
    ("inside",),
    ("ecosystems", "frameworks"),
    ("model",),
    ("errors",),
)
"""From the top down: a room imports from floors below its own, and from none on its own floor."""
TOP = ("__init__", "__main__")
"""Modules that may import from any floor."""
