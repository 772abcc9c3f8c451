"""Who works in a project, as git's settings and variables say; and what they may hold."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from freezer.flows.project.git import Author, author, committed

pytestmark = pytest.mark.process


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository that no setting of this machine reaches."""
    for variable in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_DIR", "GIT_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    made = tmp_path / "project"
    made.mkdir()
    git(made, "init", "--quiet")
    return made


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def test_nothing_is_known_where_nothing_is_set(folder: Path) -> None:
    assert author(folder) == Author(None, None)


def test_the_setting_that_is_read_last_counts(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "global").write_text("[user]\nname = Everywhere\nemail = everywhere@x.example\n")
    assert author(folder).who == "Everywhere <everywhere@x.example>"
    git(folder, "config", "user.name", "Here")
    git(folder, "config", "--add", "user.name", "Here Again")
    assert author(folder).who == "Here Again <everywhere@x.example>"


def test_a_name_or_a_mail_alone_is_enough(folder: Path) -> None:
    git(folder, "config", "user.email", "me@x.example")
    assert author(folder).who == "me@x.example"


def test_variables_are_stronger_than_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(folder, "config", "user.name", "Set")
    git(folder, "config", "user.email", "set@x.example")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Named")
    assert author(folder).who == "Named <set@x.example>"


def test_a_name_of_several_lines_and_with_equals_signs_is_one_line(folder: Path) -> None:
    git(folder, "config", "user.name", "A = B\nuser.email\nC\x1b[31m")
    git(folder, "config", "user.namesake", "nobody")
    assert author(folder).who == "A = B user.email C[31m"


def test_the_commit_is_the_one_that_is_checked_out(folder: Path) -> None:
    git(folder, "config", "user.name", "Me")
    git(folder, "config", "user.email", "me@x.example")
    (folder / "notes.txt").write_text("first\n")
    git(folder, "add", "notes.txt")
    git(folder, "commit", "--quiet", "--message", "first")
    (folder / "notes.txt").write_text("changed\n")
    commit = author(folder).commit
    assert commit is not None
    assert len(commit) == 40
    assert committed(folder, "notes.txt") == b"first\n"
    assert committed(folder, "other.txt") == b""


def test_outside_of_a_repository_and_without_git_there_is_no_commit(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert author(tmp_path).commit is None
    monkeypatch.setenv("PATH", "/nonexistent")
    assert author(folder) == Author(None, None)
