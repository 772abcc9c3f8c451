"""The wheel holds all of Freezer: every module, script and template of the checkout."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def files(folder: str) -> set[str]:
    """Return the files below a folder of the checkout, without what Python writes."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def build_wheel(target: Path) -> Path:
    """Build the wheel as pip does: with the project's own backend, in the checkout."""
    from hatchling.build import build_wheel as build

    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return target / build(str(target))
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as archive:
        return set(archive.namelist())


def test_the_wheel_has_every_file_of_the_package(wheel: set[str]) -> None:
    # hatchling leaves out what .gitignore names: `build/` without a slash in front of it also
    # names freezer/engine/build, which then works in a checkout and in no installation.
    assert files("freezer") - wheel == set()


def test_the_wheel_has_every_template_where_freezer_looks_for_it(wheel: set[str]) -> None:
    installed = {
        name.replace("templates/", "freezer/_templates/", 1) for name in files("templates")
    }
    assert installed - wheel == set()


def test_the_wheel_has_nothing_else(wheel: set[str]) -> None:
    others = {name for name in wheel if not name.startswith("freezer/")}
    assert {Path(name).parts[0].rpartition(".")[2] for name in others} == {"dist-info"}
