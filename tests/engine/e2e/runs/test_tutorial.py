"""docs/tutorial/compare-runs.md as written: its files, its commands, and what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.engine.interface import Engine
from freezer.image.layout import LOCK_LABEL
from tests.support.debian.bases import kept_store
from tests.support.host.commands import Project, forget
from tests.support.project.documented import ROOT

pytestmark = [
    pytest.mark.engine,
    pytest.mark.index,
    pytest.mark.archive,
    pytest.mark.timeout(900),
]
PAGE = (ROOT / "docs" / "tutorial" / "compare-runs.md").read_text()
FILE = re.compile(r"`([\w.]+)`[^`\n][^`]*?:\n\n```\w*\n(.*?)^```$|`([\w.]+)`:\n\n```\w*\n(.*?)^```$",
                  re.MULTILINE | re.DOTALL)  # fmt: skip
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CAUSE = re.compile(r"^  (certain|likely|possible|unlikely)  ([\w.]+): ", re.MULTILINE)
DIFF = "freeze runs diff "
NAME = f"freezer-test-digits-{os.getpid()}"
"""In place of the page's name: a user of the same engine may have followed the page."""


def files() -> dict[str, str]:
    """Return the files that the page has its reader write."""
    return {found[1] or found[3]: found[2] or found[4] for found in FILE.finditer(PAGE)}


def steps() -> Iterator[tuple[str, str]]:
    """Yield each command of the page with the output that the page shows."""
    for block in CONSOLE.findall(PAGE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


@pytest.fixture
def digits(tmp_path: Path, engine: Engine) -> Iterator[Project]:
    made = Project(tmp_path / "digits", kept_store().root, NAME)
    made.folder.mkdir()
    for name, text in files().items():
        (made.folder / name).write_text(text.replace("name: digits", f"name: {NAME}"))
    yield made
    locks = {one.name for one in made.lock_file.parent.glob("history/*")} | {made.lock_id}
    for lock in locks:
        for image in engine.images(label=f"{LOCK_LABEL}={lock}"):
            forget(engine, image)


def environment(project: Project, folder: Path) -> dict[str, str]:
    """Return variables with which ``freeze`` is the tree under test, and git knows its user."""
    program = folder / "freeze"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m freezer "$@"\n')
    program.chmod(0o755)
    who = {
        f"GIT_{role}_{what}": text
        for role in ("AUTHOR", "COMMITTER")
        for what, text in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
    }
    path = f"{folder}:{os.environ['PATH']}"
    return {**os.environ, **who, "PATH": path, "FREEZER_STORE": str(project.store)}


def test_the_tutorial(digits: Project, tmp_path: Path) -> None:
    assert set(files()) == {"freeze.yaml", "export.py", "train.py", ".gitignore"}
    variables = environment(digits, tmp_path)
    compared = []
    for command, shown in steps():
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=digits.folder, env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        for exact in ("nothing differs that is recorded", "identical to the bit: 2 metrics and 1"):
            assert exact not in shown or exact in done.stdout
        if command.startswith(DIFF):
            found, promised = CAUSE.findall(done.stdout), CAUSE.findall(shown)
            assert found[:1] == promised[:1], f"{command}\n{done.stdout}"
            assert set(promised) <= set(found)
            compared.append(dict(found))
    assert [next(iter(one), None) for one in compared] == [
        None,
        "certain",
        "certain",
        "certain",
        "likely",
    ]
    assert len(list((digits.folder / ".freezer" / "runs").iterdir())) == 14
