"""docs/explanation/architecture.md names every cache, and every number that makes one start anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.architecture import FLOORS, nodes, source

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
KEEPERS = {
    "put_memo": 0,
    "get_memo": 0,
    "put_packed_memo": 0,
    "get_packed_memo": 0,
    "known_packages": 1,
    "remember": 1,
    "recall": 1,
}
"""Functions that take a memo's kind, and the place of it among their arguments."""
FORMAT = re.compile(r"_?([A-Z]+_)*FORMAT|RULES")
"""Names of constants whose change makes a cache, a question or an image another one."""
NOT_CACHES = {"FORMAT_LABEL"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "freezer").rglob("*.py")):
        if "inside" not in path.relative_to(ROOT).parts:
            yield str(path.relative_to(ROOT)), path


def constants(path: Path) -> dict[str, ast.expr]:
    """Return the values that a module assigns to names."""
    found: dict[str, ast.expr] = {}
    for node in source(path).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
    return found


@cache
def public() -> dict[str, ast.expr]:
    """Return what modules assign to names that others may import."""
    return {
        name: value
        for _, path in modules()
        for name, value in constants(path).items()
        if not name.startswith("_")
    }


@cache
def kinds() -> dict[str, str]:
    """Return each kind of memo, and a module that writes or reads it."""
    found: dict[str, str] = {}
    for module, path in modules():
        if not any(name in path.read_text() for name in KEEPERS):
            continue
        known = {**public(), **constants(path)}
        for node in nodes(path):
            name = (
                getattr(node.func, "attr", getattr(node.func, "id", ""))
                if isinstance(node, ast.Call)
                else ""
            )
            if name not in KEEPERS:
                continue
            kind = node.args[KEEPERS[name]]  # type: ignore[attr-defined]
            kind = known.get(kind.id) if isinstance(kind, ast.Name) else kind
            if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
                found.setdefault(kind.value, module)
    return found


@cache
def formats() -> dict[tuple[str, str], str]:
    """Return each format number by module and name."""
    found = {}
    for module, path in modules():
        for name, value in constants(path).items():
            if FORMAT.fullmatch(name) and name not in NOT_CACHES:
                found[module, name] = ast.unparse(value)
    return found


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    """Return the cells of the page's tables."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_package_has_its_level(rows: list[list[str]]) -> None:
    listed = {
        cells[1].strip("`").removeprefix("freezer/"): int(cells[0])
        for cells in rows
        if cells[0].isdecimal()
    }
    assert listed == {name: level for level, names in enumerate(FLOORS, 1) for name in names}


def test_what_the_tests_look_for_is_there() -> None:
    assert {"verified", "verified-image", "chunk", "conda-index"} <= set(kinds())
    assert ("freezer/flows/lock/ecosystems.py", "FORMAT") in formats()
    assert len(kinds()) > 20
    assert len(formats()) > 7


def test_every_kind_of_memo_has_a_row(rows: list[list[str]]) -> None:
    listed = {cells[0].strip("`"): cells for cells in rows}
    assert {kind: path for kind, path in kinds().items() if kind not in listed} == {}


def test_no_row_is_of_a_memo_that_is_gone(rows: list[list[str]]) -> None:
    start = PAGE.read_text().index("## What is cached")
    text = PAGE.read_text()[start:].split("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.MULTILINE))
    assert listed - set(kinds()) == set()


def test_every_format_number_is_given(rows: list[list[str]]) -> None:
    missing = []
    for (path, name), value in formats().items():
        shown = f"`{name} = {value}`" if value.isdecimal() else f"`{name}`"
        if not any(
            path.removeprefix("freezer/") in " ".join(row) and shown in " ".join(row)
            for row in rows
        ):
            missing.append(f"{path}: {shown}")
    assert missing == []
