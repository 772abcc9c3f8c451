"""The rooms of Freezer, as tests of its imports and of its documentation know them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

FLOORS = (
    ("cli", "api"),
    ("output",),
    ("flows",),
    ("resolve", "image", "check", "history", "data", "ledger", "governance", "fleet"),
    ("fetch", "engine"),
    ("inside",),
    ("ecosystems", "frameworks"),
    ("model",),
    ("errors",),
)
"""From the top down: a room imports from floors below its own, and from none on its own floor."""
TOP = ("__init__", "__main__")
"""Modules that may import from any floor."""


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file, parsed once for all rules about sources."""
    return ast.parse(path.read_text())


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a file's syntax tree, as ``ast.walk`` yields them."""
    return tuple(ast.walk(parsed(path)))
