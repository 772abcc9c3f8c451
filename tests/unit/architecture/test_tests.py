"""How the tests are laid out: small folders, shared code in ``tests/support`` alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.architecture import source

TESTS = Path(__file__).parents[2]
MOST_FILES = 16
"""In one folder, its ``conftest.py`` included."""
SLOW = {"cyclonedx", "jsonschema", "spdx_tools"}
"""Packages that take a second to import: in the tests that use them, not while all are collected."""


FILES = sorted(TESTS.rglob("*.py"))


def names_of(node: ast.AST) -> Iterator[str]:
    """Yield what a statement imports, by its whole name."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "." * node.level + (node.module or "")


def imported(path: Path) -> Iterator[str]:
    """Yield what a file imports, wherever in it."""
    for node in source(path).imports:
        yield from names_of(node)


def test_no_folder_outgrows_its_limit() -> None:
    full = {
        str(folder.relative_to(TESTS)): len(list(folder.glob("*.py")))
        for folder in {path.parent for path in FILES}
    }
    assert {folder: count for folder, count in full.items() if count > MOST_FILES} == {}


def test_tests_share_code_by_tests_support_alone() -> None:
    """A test that imports another runs it twice, and neither can be moved or run alone."""
    wrong = [
        f"{path.relative_to(TESTS)} imports {name}"
        for path in FILES
        for name in imported(path)
        if name.startswith((".", "tests.")) and not name.startswith(("tests.support", "tests.fuzz"))
    ]
    assert wrong == []


def test_collecting_the_tests_imports_nothing_slow() -> None:
    """Each worker of pytest-xdist imports all test files, also those whose tests others run."""
    wrong = [
        f"{path.relative_to(TESTS)} imports {name}"
        for path in FILES
        for node in source(path).body
        for name in names_of(node)
        if name.partition(".")[0] in SLOW
    ]
    assert wrong == []


def test_support_holds_no_tests() -> None:
    assert list((TESTS / "support").rglob("test_*.py")) == []


def test_every_test_is_found(request: pytest.FixtureRequest) -> None:
    """pytest passes over folders by their names, and says nothing of it."""
    skipped, named = (request.config.getini(key) for key in ("norecursedirs", "python_files"))
    tests = [path.relative_to(TESTS) for path in FILES if "def test_" in path.read_text()]
    lost = [
        str(path)
        for path in tests
        if any(fnmatch(part, skip) for part in path.parts[:-1] for skip in skipped)
        or not any(fnmatch(path.name, name) for name in named)
    ]
    assert lost == []
