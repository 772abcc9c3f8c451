"""A framework has one home: outside of it, code names none."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from freezer.frameworks import described
from freezer.resolve.python import well_known
from tests.support.architecture import nodes

ROOT = Path(__file__).parents[3]
HOMES = ("freezer/frameworks/", "freezer/inside/")
TORCH = {
    f"freezer/resolve/accelerator/{name}.py"
    for name in ("available", "check", "pip", "torch_wheels")
}
"""torch alone has indexes by CUDA and says in a local version which one a wheel is for."""
NAMES = {
    name
    for item in described()
    for name in (*item.distributions, *item.conda, *item.debian, item.training)
    if name is not None
}


def named(module: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names of frameworks among the texts of a module, also in patterns of several."""
    for node in module:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from NAMES.intersection(node.value.split("|"))


def test_no_other_module_names_a_framework() -> None:
    found = {}
    for path in sorted((ROOT / "freezer").rglob("*.py")):
        shown = path.relative_to(ROOT).as_posix()
        names = set(named(nodes(path)))
        if names and not shown.startswith(HOMES) and (shown not in TORCH or names != {"torch"}):
            found[shown] = names
    assert found == {}, "describe it in freezer/frameworks, and read it from there"


@pytest.mark.parametrize("source", ['X = ("torch",)', 'X = {"py-xgboost": 1}', 'X = r"a|jaxlib"'])
def test_a_name_would_be_found(source: str) -> None:
    assert list(named(ast.walk(ast.parse(source))))


def test_well_known_names_of_frameworks_come_from_descriptions() -> None:
    assert not NAMES.intersection(well_known._NAMES.split())
