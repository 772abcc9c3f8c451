"""All that commands print fits a terminal of 60 columns, and says what it says elsewhere."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import pytest

import freezer
from freezer.cli.commands import FOLDERS, GROUPS
from freezer.cli.main import run
from tests.support.project.documented import Documented, documented
from tests.support.project.records import lines

WIDTH = 60
COMMANDS = (
    ("lock", "--check"),
    ("lock",),
    ("build",),
    ("check",),
    ("check", "--against", "2"),
    ("check", "--all"),
    ("diff", "1", "3"),
    ("log",),
    ("log", "--verify"),
    ("why", "numpy"),
    ("images",),
    ("images", "--prune", "--dry-run"),
    ("update", "numpy", "--dry-run"),
    ("rollback", "--dry-run", "--to", "2"),
    ("doctor",),
    ("lock", "no-such-environment-of-this-project"),
)
MOVING = re.compile(r"\d+(\.\d+)?( s|-\d\d-\d\dT[\d:]+Z| GiB)|\d\d:\d\d:\d\d")
"""Times and sizes that differ from run to run."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documented]:
    folder = tmp_path_factory.mktemp("width")
    with pytest.MonkeyPatch.context() as patch, documented(folder, patch) as made:
        with freezer.open_project() as opened:
            made.past(opened)
        freeze(("check", "--all"))  # it builds what is missing
        yield made


def freeze(arguments: tuple[str, ...], **environment: str) -> tuple[list[str], list[str]]:
    """Return the lines on stdout and on stderr."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with redirect_stdout(out), redirect_stderr(err):
            run(arguments)
    return plain(out.getvalue()), plain(err.getvalue())


def plain(text: str) -> list[str]:
    bare = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n")
    return [line.rstrip() for line in bare.splitlines()]


def words(printed: list[str]) -> list[str]:
    return MOVING.sub("", " ".join(printed)).split()


@pytest.mark.process
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_sixty_columns(project: Documented, arguments: tuple[str, ...]) -> None:
    del project
    wide, more = freeze(arguments)
    terminal = {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": str(WIDTH)}
    out, err = freeze(arguments, **terminal)
    assert [line for line in out + err if len(line) > WIDTH and len(line.split()) > 1] == []
    assert words(out) == words(wide)
    assert set(words(more)) <= set(words(err)), "stderr has progress bars as well"
    assert out or err


@pytest.mark.process
def test_a_drift_at_sixty_columns(project: Documented) -> None:
    project.tell(*lines(loss=0.625, weight=1.5, seed="4321"))
    try:
        test_sixty_columns(project, ("check", "--against", "2"))
    finally:
        project.tell(*lines())


PAGES = [(name,) for name in FOLDERS] + [
    (group, *more) for group, (_, names) in GROUPS.items() for more in [(), *((n,) for n in names)]
]


@pytest.mark.parametrize("command", [(), *PAGES], ids=" ".join)
def test_no_word_of_the_help_is_cut(command: tuple[str, ...]) -> None:
    out, _ = freeze((*command, "--help"), COLUMNS=str(WIDTH), TERMINAL_WIDTH=str(WIDTH))
    assert max(map(len, out)) <= WIDTH
    assert [line for line in out if re.search(r"\w…", line)] == []
