"""The Python examples outside the API's pages: what needs no framework runs here, as written."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project.documented import ROOT, snippets

DOCS = ROOT / "docs"
PAGES = sorted(
    page for page in DOCS.rglob("*.md") if snippets(page) and page.parent != DOCS / "reference/api"
)
INSIDE = ROOT / "freezer" / "inside"
FRAMEWORKS = {"numpy", "torch", "jax", "tensorflow", "sklearn"}
"""What images have and this environment has not: `tests/engine` runs those examples."""


def run(code: str, *arguments: str, cwd: Path | None = None) -> str:
    environment = {"PYTHONPATH": str(INSIDE), "FREEZER_SEED": "7", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=cwd, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs_a_framework(code: str) -> bool:
    tree = ast.parse(code)
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return bool((imported | used) & FRAMEWORKS) or "augmentation(" in code


def test_pages_with_examples() -> None:
    names = {str(page.relative_to(DOCS)) for page in PAGES}
    assert names >= {
        "how-to/own-training.md",
        "how-to/seed-your-own-code.md",
        "reference/inside.md",
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_are_python(page: Path) -> None:
    for code in snippets(page):
        ast.parse(code)


@pytest.mark.process
def test_seeding() -> None:
    runs = [
        code
        for code in snippets(DOCS / "how-to/seed-your-own-code.md")
        if not needs_a_framework(code)
    ]
    assert len(runs) == 2
    assert run(f"{runs[0]}\nprint(seed)") == "7\n"
    said = run(f"{runs[1]}\nprint(part)")
    assert said.strip() in ("train", "validation", "test")
    assert said == run(f"{runs[1]}\nprint(part)"), "it depends on the key alone"


@pytest.mark.process
def test_the_files_of_a_runtime_are_printed() -> None:
    (code,) = snippets(DOCS / "reference/inside.md")
    (kept,) = (ROOT / "tests" / "data" / "insides").iterdir()
    said = run(code, str(kept))
    assert "===== freezer_inside/__init__.py" in said
    assert "===== freezer_inside/smoke.py" in said
    assert said.count("=====") >= 10
