"""The rooms of Freezer, as tests of its imports and of its documentation know them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Import = ast.Import | ast.ImportFrom

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


@dataclass(frozen=True)
class Source:
    """What rules look at in a source file."""

    body: Sequence[ast.stmt]
    """The statements of the module; functions and classes among them lack their bodies."""
    imports: Sequence[Import]
    """All imports, wherever in it."""
    texts: frozenset[str]
    """The texts of its constants."""


@cache
def source(path: Path) -> Source:
    """Return what a file holds, read once for all rules.

    Whole trees are not kept: a million nodes make the garbage collector slow from then on.
    """
    tree = ast.parse(path.read_text())
    imports: list[Import] = []
    texts: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, Import):
            imports.append(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            statement.body.clear()
    return Source(tree.body, imports, frozenset(texts))


def nodes(path: Path) -> Iterator[ast.AST]:
    """Yield all nodes of a file's syntax tree, as ``ast.walk`` does."""
    return ast.walk(ast.parse(path.read_text()))
