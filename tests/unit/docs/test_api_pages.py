"""The pages of the Python API: up to date, and every example in them runs."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import freezer
from tests.support.project.documented import ROOT, Documented, documented, snippets

FOLDER = ROOT / "docs" / "reference" / "api"
PAGES = sorted(FOLDER.glob("*.md"))
IN_ORDER = [
    FOLDER / f"{name}.md"
    for name in ("project", "lock", "build", "check", "update", "rollback", "README", "errors")
]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("api_docs", ROOT / "scripts" / "api_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_those_of_the_docstrings(generator: ModuleType) -> None:
    written = {path.stem: path.read_text() for path in PAGES}
    assert generator.pages() == written, "run `make docs`"


def test_every_public_name_has_a_page(generator: ModuleType) -> None:
    assert sorted(IN_ORDER) == PAGES
    listed = {*generator.HOMES, "FreezerError", "errors", "__version__"}
    assert set(freezer.__all__) == listed


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documented]:
    """Return the project with a past that all pages share, in their order."""
    folder = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch, documented(folder, patch) as made:
        with freezer.open_project() as opened:
            made.past(opened)
        yield made


@pytest.mark.process
@pytest.mark.parametrize("page", IN_ORDER, ids=lambda path: path.stem)
def test_examples_run(page: Path, project: Documented, capsys: pytest.CaptureFixture[str]) -> None:
    found = snippets(page)
    assert found, "a page without an example"
    with freezer.open_project() as opened:
        names = {"freezer": freezer, "project": opened}
        for number, text in enumerate(found, 1):
            exec(compile(text, f"{page.name}, example {number}", "exec"), names)
    assert capsys.readouterr().out, "an example that prints nothing"
