"""A reader that goes away, as in ``freeze log | head``, is no error: the command ends as it would."""

from __future__ import annotations

import os
import pty
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


HANGUP = """
import os, signal, sys, time
from freezer.cli import main

def run(_arguments):
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("a terminal that is closed", flush=True)
        print("and so is this", file=sys.stderr, flush=True)
        open(sys.argv[1], "w").write("cleaned up")
    return 130

main.run = run
main.main()
"""


def test_a_terminal_that_is_closed_lets_the_command_clean_up(tmp_path: Path) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", HANGUP, str(tmp_path / "done")])
    assert os.read(terminal, 100).startswith(b"ready")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
    assert (tmp_path / "done").read_text() == "cleaned up"


def test_a_hangup_that_is_ignored_stays_so(tmp_path: Path) -> None:
    code = HANGUP.replace("time.sleep(60)", "os.kill(os.getpid(), signal.SIGHUP); time.sleep(0.1)")
    with subprocess.Popen(
        ["nohup", sys.executable, "-c", code, str(tmp_path / "done")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        process.communicate(timeout=60)
    assert not (tmp_path / "done").exists()
