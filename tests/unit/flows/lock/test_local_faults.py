"""All that is wrong with a project's own files is reported at once, before anything is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from freezer.errors import SpecError
from freezer.fetch.config import Config
from freezer.flows.lock.ecosystems import read_local_files
from freezer.flows.project.environment import load_environment
from freezer.flows.project.user_files import user_files

SPEC = "name: demo\nbase: {bootstrap: bookworm}\npython: '3.11'\n"


def faults(folder: Path, spec: str, **files: str) -> tuple[str, ...]:
    (folder / "freeze.yaml").write_text(SPEC + spec)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    with pytest.raises(SpecError) as caught:
        read_local_files(load_environment(folder, None), Config())
    return caught.value.details or (str(caught.value),)


def test_every_kind_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        "pip: {files: [gone.txt, reqs.txt]}\n"
        "smoke: {command: [python], files: [train.py, src, 'data/*.csv']}\n"
        "steps: {run: [make], files: [Makefile]}\n",
        reqs_txt="numpy==\n-e .\nfine\n--nonesuch\n-r more.txt\n--find-links ./wheels\n'\n"
        "x @ file:///x.whl\ny --hash=md5:00\n\n-c gone-too.txt\n",
    )
    said = "\n".join(found)
    for part in (
        "gone.txt cannot be read", "reqs.txt:1", "reqs.txt:2", "reqs.txt:4", "more.txt cannot be",
        "the folder ./wheels does not exist", "reqs.txt:8", "reqs.txt:9", "gone-too.txt cannot be",
        "train.py cannot be read", "src cannot be read", "no file matches data/*.csv",
        "Makefile cannot be read",
    ):  # fmt: skip
        assert part in said, part
    assert "reqs.txt:3" not in said


def test_both_halves_of_an_environment_file(tmp_path: Path) -> None:
    text = (
        "channels: [conda-forge, ./nowhere]\ndependencies:\n  - numpy=>1\n  - python=3.11\n"
        "  - scipy==\n  - {a: b}\n  - [x]\n  - pip:\n    - -e .\n    - torch==\n    - fine\n"
    )
    found = faults(tmp_path, "conda: environment.yml\n", environment_yml=text)
    said = "\n".join(found)
    for line in (1, 3, 5, 6, 7, 9, 10):
        assert f"environment.yml:{line}:" in said, line
    for line in (4, 11):
        assert f"environment.yml:{line}:" not in said


def test_a_single_fault_is_itself(tmp_path: Path) -> None:
    [said] = faults(tmp_path, "pip: gone.txt\n")
    assert said.startswith("freeze.yaml (pip.files): gone.txt cannot be read") or "gone.txt" in said


def test_nothing_wrong_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "freeze.yaml").write_text(SPEC + "pip: [numpy]\n")
    read_local_files(load_environment(tmp_path, None), Config())


# What folders and globs mean


def expanded(folder: Path, *patterns: str, key: str = "smoke.files") -> list[str]:
    listed = ", ".join(f"'{pattern}'" for pattern in patterns)
    kind = "smoke: {command: [x]" if key.startswith("smoke") else "steps: {run: [x]"
    (folder / "freeze.yaml").write_text(f"{SPEC}{kind}, files: [{listed}]}}\n")
    environment = load_environment(folder, None)
    spec: Any = environment.spec.smoke if key.startswith("smoke") else environment.spec.steps
    return list(user_files(environment, spec.files, key))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for path in ("train.py", "src/a.py", "src/deep/b.py", "src/deep/c.txt", "src/__pycache__/a.pyc",
                 "src/.git/config", "src/old.pyc", "odd[1].py"):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


@pytest.mark.parametrize("key", ["smoke.files", "steps.files"])
@pytest.mark.parametrize(
    ("patterns", "files"),
    [
        (("train.py",), ["train.py"]),
        (("src",), ["src/a.py", "src/deep/b.py", "src/deep/c.txt"]),
        (("src/",), ["src/a.py", "src/deep/b.py", "src/deep/c.txt"]),
        (("src/*.py",), ["src/a.py"]),
        (("src/**/*.py",), ["src/a.py", "src/deep/b.py"]),
        (("*.py", "src/deep/?.txt"), ["odd[1].py", "src/deep/c.txt", "train.py"]),
        (("odd[1].py",), ["odd[1].py"]),
        (("src", "src/a.py"), ["src/a.py", "src/deep/b.py", "src/deep/c.txt"]),
    ],
)
def test_files_folders_and_globs(
    tree: Path, patterns: tuple[str, ...], files: list[str], key: str
) -> None:
    assert expanded(tree, *patterns, key=key) == files


@pytest.mark.parametrize("pattern", ["gone", "*.gone", "empty", "src/gone/*"])
def test_what_means_nothing_is_an_error(tree: Path, pattern: str) -> None:
    (tree / "empty").mkdir()
    with pytest.raises(SpecError) as caught:
        expanded(tree, pattern)
    assert caught.value.where is not None
    assert caught.value.where.line == 4


@pytest.mark.parametrize("pattern", ["../x", "/etc/passwd", "a/../b", "./x", "", "/"])
def test_what_leads_out_is_refused(tree: Path, pattern: str) -> None:
    with pytest.raises(SpecError):
        expanded(tree, pattern)


def test_links_out_of_the_folder_are_refused(tree: Path) -> None:
    (tree / "src" / "link.txt").symlink_to("/etc/passwd")
    with pytest.raises(SpecError, match="leads out"):
        expanded(tree, "src")


def test_too_many_files_are_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freezer.flows.project.user_files._MOST", 2)
    with pytest.raises(SpecError, match="too many files"):
        expanded(tree, "src")
