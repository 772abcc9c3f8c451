"""Trainings as child processes: however one ends, it is told, and nothing of it stays behind."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from freezer.model.record.protocol import PREFIX, parse_lines
from tests.support.waiting import SOON, ends_soon

pytestmark = pytest.mark.process

INSIDE = Path(__file__).parents[3] / "freezer" / "inside"


def run(script="", *, command=None, timeout=SOON, **further):
    """Run one own training as an image would; return its record and the process."""
    plan = {
        **further,
        "trainings": [],
        "command": command or [sys.executable, "-c", script],
        "timeout": timeout,
    }
    process = subprocess.run(
        [sys.executable, "-m", "freezer_inside.smoke", json.dumps(plan)],
        env={**os.environ, "PYTHONPATH": str(INSIDE), "FREEZER_SEED": "1"},
        capture_output=True,
        timeout=2 * SOON,
        check=False,
    )
    told = [line for line in process.stdout.splitlines() if line.startswith(PREFIX)]
    host, trainings = parse_lines(told)
    assert host is not None
    return {one.name: one for one in trainings}, process


GOOD = """
from freezer_inside.record import Recorder
recorder = Recorder()
recorder.loss(1, 0.5)
recorder.end()
"""


def test_a_good_training_is_whole():
    trainings, process = run(GOOD)
    assert trainings["own"].failure is None
    assert process.returncode == 0


@pytest.mark.parametrize("talk", ["print('.', end='')", "import os; os.write(1, b'no end')"])
def test_what_is_printed_without_a_line_end_hides_no_observation(talk):
    trainings, _ = run(GOOD.replace("recorder.loss", f"{talk}\nrecorder.loss"))
    assert trainings["own"].failure is None
    assert len(trainings["own"].observations) == 1


def test_what_an_experiment_takes_away_is_not_there(monkeypatch):
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    script = GOOD + "import os\nraise SystemExit('MKL_CBWR' in os.environ)"
    assert run(script)[0]["own"].failure is not None
    assert run(script, unset=["MKL_CBWR", "NONE"])[0]["own"].failure is None


def test_a_failure_is_told_with_the_end_of_its_traceback():
    trainings, process = run("print('hello')\nraise ValueError('the wrong sort of weights')")
    assert trainings["own"].failure.startswith("exit status 1\n")
    assert trainings["own"].failure.endswith("ValueError: the wrong sort of weights")
    assert process.returncode == 1


def test_a_failure_after_the_end_is_one_too():
    trainings, _ = run(f"{GOOD}\nraise SystemExit(3)")
    assert trainings["own"].failure == "exit status 3"


def test_a_death_by_signal_is_told():
    trainings, _ = run("import os; os.abort()")
    assert trainings["own"].failure.startswith("exit status -6")


def test_one_that_hangs_is_ended_with_everything_that_it_started(tmp_path):
    script = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
time.sleep(600)
"""
    with ends_soon():
        trainings, _ = run(script, timeout=5)
    assert "did not end within 5 seconds" in trainings["own"].failure
    assert_gone(tmp_path / "pid")


def test_what_a_training_leaves_running_does_not_fail_it_and_is_ended(tmp_path):
    script = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
{GOOD}"""
    trainings, _ = run(script)
    assert trainings["own"].failure is None
    assert_gone(tmp_path / "pid")


def assert_gone(file):
    status = Path("/proc", file.read_text(), "status")
    for _ in range(50):
        if not status.exists() or "State:\tZ" in status.read_text():
            return
        time.sleep(0.1)
    pytest.fail("the training's child is still running")


def test_a_flood_on_stderr_is_cut_and_its_end_is_told():
    flood = "import sys\nfor _ in range(100): sys.stderr.write('x' * 10**6)\n"
    trainings, process = run(f"{flood}raise ValueError('at last')")
    assert trainings["own"].failure.endswith("ValueError: at last")
    assert len(trainings["own"].failure) <= 4000 + 100_000
    assert len(process.stderr) < 2 << 20


def test_a_command_that_is_not_there_is_told():
    trainings, _ = run(command=["no-such-program"])
    assert trainings["own"].failure == "no-such-program: No such file or directory"


def test_it_has_no_terminal_to_wait_at():
    trainings, _ = run("input()")
    assert "EOFError" in trainings["own"].failure
