"""A reader that goes away, as in ``freeze log | head``, is no error: the command ends as it would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project.histories import make_past

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    past = make_past(tmp_path_factory.mktemp("closed"))
    past.lock("1.0")
    past.lock("2.0")
    return past.project


def freeze(project: Path, *arguments: str, closed: str) -> tuple[int, str]:
    """Run the command with streams whose reader has gone already; return its status and stderr."""
    read, write = os.pipe()
    os.close(read)
    streams: dict[str, int] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    streams |= dict.fromkeys(closed.split(), write)
    done = subprocess.run(
        [sys.executable, "-m", "freezer", "-C", str(project), *arguments],
        check=False, cwd=ROOT, env={**os.environ, "FREEZER_STORE": str(project.parent / "store")}, **streams,
    )  # fmt: skip
    os.close(write)
    return done.returncode, (done.stderr or b"").decode()


COMMANDS = [
    ("--help",), ("--version",), ("log", "--help"), ("log",), ("log", "--json"), ("log", "--verify"),
    ("diff", "1", "2"), ("diff", "--markdown", "1", "2"), ("schema",), ("images", "--help"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("closed", ["stdout", "stdout stderr"])
def test_a_closed_stdout_is_no_error(
    project: Path, arguments: tuple[str, ...], closed: str
) -> None:
    assert freeze(project, *arguments, closed=closed) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("log", "absent"), 2), (("diff", "--exit-code", "1", "2"), 1), (("log", "--nope"), 2)],
)
@pytest.mark.parametrize("closed", ["stdout", "stderr", "stdout stderr"])
def test_the_status_is_the_command_s_own(
    project: Path, arguments: tuple[str, ...], code: int, closed: str
) -> None:
    status, said = freeze(project, *arguments, closed=closed)
    assert status == code
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_head_itself(project: Path) -> None:
    command = (
        f"{sys.executable} -m freezer -C {project} log --json | head -n 1; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"{\n", b"")


def test_streams_that_were_never_open(project: Path) -> None:
    command = f"exec {sys.executable} -m freezer -C {project} log >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], check=False, cwd=ROOT).returncode == 0
