"""The house holds: imports point down, nothing imports in a circle, no folder outgrows its limit."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.architecture import FLOORS, TOP, source

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "freezer"
MOST_MODULES = 16
"""In one folder, its ``__init__.py`` included."""


def modules() -> dict[str, Path]:
    """Return every module by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever in it, also for type checking alone."""
    found = set()
    for node in source(path).imports:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
        elif node.level == 0 and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in MODULES:
                    found.add(inner)
                elif node.module in MODULES:
                    found.add(node.module)
    return found


@functools.cache
def imports() -> dict[str, set[str]]:
    """Return what each module imports; read once, and not while tests are collected."""
    return {name: imported(path) for name, path in MODULES.items()}


@functools.cache
def all_edges() -> dict[str, dict[str, dict[str, str]]]:
    """Return which children of each package import which others, with one import as example."""
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for name, targets in imports().items():
        for target in targets:
            package: list[str] = []
            for first, second in zip(name.split("."), target.split("."), strict=False):
                if first != second:  # the innermost package that holds both
                    found[".".join(package)][first][second] = f"{name} imports {target}"
                    break
                package.append(first)
    return found


def edges(package: str) -> dict[str, dict[str, str]]:
    return all_edges().get(package, {})


def circle(graph: dict[str, dict[str, str]]) -> list[str]:
    """Return the imports of one circle; empty when there is none."""
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> list[str]:
        if node in way:
            around = [*way[way.index(node) :], node]
            return [graph[a][b] for a, b in pairwise(around)]
        if node in done:
            return []
        for following in graph.get(node, {}):
            if found := walk(following, [*way, node]):
                return found
        done.add(node)
        return []

    for start in list(graph):
        if found := walk(start, []):
            return found
    return []


PACKAGES = sorted(
    name
    for name, path in MODULES.items()
    if path.name == "__init__.py" and not name.startswith("freezer.inside.")
)


@pytest.mark.parametrize("package", PACKAGES)
def test_children_of_a_package_do_not_import_in_a_circle(package: str) -> None:
    assert circle(edges(package)) == []


def test_a_circle_would_be_found() -> None:
    around = {"a": {"b": "a imports b"}, "b": {"c": "b imports c"}, "c": {"b": "c imports b"}}
    assert circle(around) == ["b imports c", "c imports b"]
    assert circle({"a": {"b": "a imports b", "c": "a imports c"}, "b": {"c": "b imports c"}}) == []


def test_imports_point_down() -> None:
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    wrong = []
    for first, targets in edges("freezer").items():
        for second, example in targets.items():
            if first in TOP or second in TOP:
                continue
            if first not in floor or second not in floor or floor[first] >= floor[second]:
                wrong.append(example)
    assert wrong == []


def test_every_room_has_its_floor() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    named = {room for rooms in FLOORS for room in rooms} | set(TOP)
    assert rooms - {"__pycache__", "py"} - named == set()


def test_no_folder_outgrows_its_limit() -> None:
    full = {
        str(folder.relative_to(ROOT)): len(list(folder.glob("*.py")))
        for folder in {path.parent for path in MODULES.values()}
        if "inside" not in folder.relative_to(ROOT).parts  # its digest is in locks: never moved
    }
    assert {folder: count for folder, count in full.items() if count > MOST_MODULES} == {}


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in MODULES.values()}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_every_module_says_what_it_is_for() -> None:
    without = {
        name
        for name, path in MODULES.items()
        if not ast.get_docstring(ast.Module(list(source(path).body), []))
    }
    assert without == set(), "no docstring"
