"""The project's folder is found from any folder below it, and never in someone else's files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freezer.flows.project import find
from freezer.flows.project.find import find_project


@pytest.mark.parametrize(
    "mark",
    [
        "freeze.yaml",
        ".freezer.yaml",
        "images/demo/freeze.yaml",
        "lockfiles/demo/freeze.lock.yaml",
    ],
)
def test_from_any_folder_below(tmp_path: Path, mark: str) -> None:
    project = tmp_path / "project"
    below = project / "src" / "package"
    below.mkdir(parents=True)
    file = project / mark
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    for start in (project, below, below.parent, file.parent):
        assert find_project(start) == project


def test_the_nearest_counts(tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    (inner / "src").mkdir(parents=True)
    for folder in (inner.parent, inner):
        (folder / "freeze.yaml").write_text("")
    assert find_project(inner / "src") == inner


def test_an_environment_with_locks_of_its_own_is_a_project(tmp_path: Path) -> None:
    own = tmp_path / "images" / "demo"
    (own / "lockfiles").mkdir(parents=True)
    (own / "freeze.yaml").write_text("")
    assert find_project(own) == own


def test_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    assert find_project(tmp_path / "images") == tmp_path / "images"


def test_files_of_another_user_above_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, home = tmp_path / "shared", tmp_path / "shared" / "mine"
    home.mkdir(parents=True)
    (shared / ".freezer.yaml").write_text("sources: {}")
    owners = {home: 1000, shared / ".freezer.yaml": 4242}
    monkeypatch.setattr(find, "_owner", owners.get)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert find_project(home) == home
    assert find_project(shared) == shared, "where the user stands is the user's choice"
    owners[home] = 4242
    assert find_project(home) == shared, "the whole tree is that user's: a mounted checkout"
