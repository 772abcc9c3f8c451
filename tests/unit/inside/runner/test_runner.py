"""What `freeze run` starts a command with: its exit code comes through, whatever the disk does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from freezer.inside import runner_folder

pytestmark = pytest.mark.process


def run(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    started = [sys.executable, str(runner_folder() / "runner.py"), str(folder), *command]
    environment = {"PATH": os.environ["PATH"], **more}
    return subprocess.run(started, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize(
    ("command", "code"),
    [(("true",), 0), (("sh", "-c", "exit 7"), 7), (("sh", "-c", "kill -9 $$"), 137)],
)
def test_the_exit_code_and_what_it_took(
    tmp_path: Path, command: tuple[str, ...], code: int
) -> None:
    assert run(tmp_path, *command).returncode == code
    taken = json.loads((tmp_path / "usage.json").read_text())
    assert taken["exit"] == code
    assert taken["cpu"] >= 0
    assert taken["peak"] > 0


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    done = run(tmp_path, "no-such-command")
    assert (done.returncode, "no-such-command" in done.stderr) == (127, True)
    assert run(tmp_path, str(tmp_path)).returncode == 126


def test_a_folder_that_takes_no_file_hides_no_exit_code(tmp_path: Path) -> None:
    done = run(tmp_path / "none", "sh", "-c", "exit 3", FREEZER_FINGERPRINT="1")
    assert done.returncode == 3
    assert "not recorded" in done.stderr
    assert "Traceback" not in done.stderr
