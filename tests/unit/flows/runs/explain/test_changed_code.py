"""The files that differ between commits and between patches, against git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.flows.runs.code import code_of
from freezer.flows.runs.diff import MOST, diff
from freezer.flows.runs.explain.changed_code import (
    _changes,
    commit_changes,
    patch_changes,
    patched_files,
)
from freezer.flows.runs.page.gather import gather

pytestmark = pytest.mark.process
NAMES = ("a.py", "dir/b c.py", "dir/é\t.py", 'dir/"q".py', "line\nend.py", "x b/y.py")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def write(folder: Path, files: dict[str, str]) -> None:
    for path in NAMES:
        (folder / path).unlink(missing_ok=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def commit(folder: Path, files: dict[str, str]) -> str:
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one", "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


def differing(old: dict[str, str], new: dict[str, str]) -> list[str]:
    both = sorted(old.keys() | new.keys(), key=lambda path: path.encode())
    signs = [
        ("+" if path not in old else "-" if path not in new else "~", path)
        for path in both
        if old.get(path) != new.get(path)
    ]
    return [f"{sign} {path}" for sign, path in signs]


TREES = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["1\n", "2\n"]))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(TREES, min_size=2, max_size=3))
def test_commits_differ_in_the_files_that_differ(
    tmp_path_factory: pytest.TempPathFactory, trees: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q")
    commits = [commit(folder, files) for files in trees]
    found = commit_changes(folder, [*commits, "0" * 40, "HEAD"])
    places = {one: number for number, one in enumerate(commits)}
    assert found == {
        (one, other): differing(trees[places[one]], trees[places[other]]) for one, other in found
    }
    assert len(found) == len(places) * (len(places) - 1) // 2
    write(folder, trees[0])
    patch = code_of(folder).patch
    assert sorted(patched_files(patch)) == sorted(
        line[2:] for line in differing(trees[-1], trees[0])
    )


def test_where_there_is_no_repository_nothing_is_known(tmp_path: Path) -> None:
    assert commit_changes(tmp_path, ["1" * 40, "2" * 40]) == {}
    assert commit_changes(tmp_path, []) == {}


@given(st.binary())
def test_any_answer_of_git_is_read(answer: bytes) -> None:
    assert isinstance(_changes(answer), dict)
    assert isinstance(patched_files(b"diff --git " + answer), dict)


def test_patches_differ_in_the_files_that_they_change_in_other_ways() -> None:
    assert patch_changes({"a": "1", "b": "2"}, {"b": "3", "c": "4", "a": "1"}) == ["~ b", "~ c"]
    assert patch_changes({}, {}) == []


def test_a_comparison_and_a_page_list_the_files_of_commits_and_patches(runnable: Any) -> None:
    root = runnable.project.root
    runnable.train(lambda inside: 0)

    def train(**files: str) -> str:
        for name, text in files.items():
            (root / f"{name}.py").write_text(text)
        return runnable.run("train").run.id

    def committed() -> None:
        runnable.git("add", "-A")
        runnable.git("commit", "-qm", "next")

    first = train(one="1")
    patched = train(one="2")
    committed()
    train(two="2")
    committed()
    last = train()
    [cause] = diff(runnable.project, first, patched).causes
    assert (cause.name, cause.details) == ("git.patch", ("~ one.py",))
    causes = {one.name: one for one in diff(runnable.project, first, last).causes}
    assert "+ one.py" in causes["git.commit"].details
    assert "+ two.py" in causes["git.commit"].details
    page = gather(runnable.project, None)
    lines = [line for found in page.commits.values() for line in found]
    assert "- one.py" in lines, "the latest run comes first: seen from it, the file was removed"
    assert {path for files in page.patches.values() for path in files} >= {"one.py"}
    train(**{f"many{number}": "1" for number in range(MOST + 5)})
    committed()
    details = {one.name: one for one in diff(runnable.project, first, train()).causes}
    assert details["git.commit"].details[-1].startswith("... and ")
    assert len(details["git.commit"].details) == MOST + 1
