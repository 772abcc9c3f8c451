"""Several runs at once: CPU and GPU sets, labelled lines, order, Ctrl-C, and a run that cannot begin."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.engine.run.cpuset import at
from freezer.errors import EngineError, RunError
from freezer.flows.runs.processes.child import read_start
from freezer.flows.runs.processes.jobs import Job, Jobs
from freezer.flows.runs.processes.lines import LONGEST, LabelledLines
from freezer.flows.runs.processes.shares import cpu_sets, gpu_sets
from freezer.model.events import SilentReporter
from tests.support.waiting import LATE, ends_soon

RUN = """
import os, sys, time
cpus = sys.argv[sys.argv.index("--cpus") + 1]
report = int(sys.argv[sys.argv.index("--fd") + 1])
name, seconds, code = sys.argv[sys.argv.index("--") + 1 :]
started = time.time()
if code != "2":
    os.write(report, b'{"run": "%s"}\\n' % name.encode())
os.close(report)
print(name, cpus, flush=True)
try:
    import signal
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    time.sleep(float(seconds))
except KeyboardInterrupt:
    code = 130
print("times", cpus, started, time.time(), file=sys.stderr)
sys.exit(int(code))
"""


class Warnings(SilentReporter):
    def __init__(self) -> None:
        self.said: list[str] = []

    def warn(self, text: str) -> None:
        self.said.append(text)


def sweep(tmp: Path, what: list[tuple[float, int]], sets: list[str]):
    script = tmp / "run.py"
    script.write_text(RUN)
    jobs = [
        Job(f"[{number}]", (sys.executable, str(script)), (f"r{number}", str(seconds), str(code)))
        for number, (seconds, code) in enumerate(what)
    ]
    shown: list[tuple[int, bytes]] = []
    report = Warnings()
    return (
        Jobs(
            jobs,
            [["--cpus", one] for one in sets],
            lambda stream, data: shown.append((stream, data)),
            report,
            report_option="--fd",
        ),
        shown,
        report,
    )


@given(st.integers(1, 64), st.integers(1, 64), st.none() | st.integers(1, 64))
def test_sets_are_disjoint_or_refused(available: int, jobs: int, each: int | None) -> None:
    if (each or 1) * jobs > available:
        with pytest.raises(RunError, match="need more CPUs"):
            cpu_sets(available, jobs, each)
        return
    sets = [set(one) for one in cpu_sets(available, jobs, each)]
    assert len(sets) == jobs
    assert all(one.isdisjoint(other) for one, other in itertools.combinations(sets, 2))
    assert {len(one) for one in sets} == {each or available // jobs}
    assert set().union(*sets) <= set(range(available))


@given(st.integers(0, 64), st.integers(1, 64))
def test_gpus_are_disjoint_and_equal_or_refused(available: int, jobs: int) -> None:
    if jobs > available:
        with pytest.raises(RunError, match="need more GPUs" if available else "cannot be counted"):
            gpu_sets(available, jobs)
        return
    sets = [set(one) for one in gpu_sets(available, jobs)]
    assert len(sets) == jobs
    assert sum(map(len, sets)) == len(set().union(*sets)), "no GPU is in two sets"
    assert {len(one) for one in sets} == {available // jobs}
    assert set().union(*sets) <= set(range(available))


def test_positions_are_those_of_the_cpus_that_an_engine_has() -> None:
    assert at((0, 1), range(4)) == "0,1"
    assert at((1, 0), [2, 6, 7]) == "2,6"
    with pytest.raises(EngineError, match="CPU 4, and the engine has 3"):
        at((3,), [2, 6, 7])


@given(st.lists(st.integers(1, 60), max_size=8))
def test_lines_are_whole_and_labelled_however_they_come(cuts: list[int]) -> None:
    text = b"one\n10%\r50%\r100%\ntwo\r\n\nlast"
    shown: list[bytes] = []
    lines = LabelledLines("[1] ", lambda _stream, data: shown.append(data))
    for first, last in itertools.pairwise(sorted({0, *cuts, len(text)})):
        lines.take(1, text[first:last])
    lines.end()
    assert shown == [b"[1] one\n", b"[1] 100%\n", b"[1] two\n", b"[1] \n", b"[1] last\n"]


def test_a_line_without_an_end_is_passed_on() -> None:
    shown: list[bytes] = []
    lines = LabelledLines("", lambda _stream, data: shown.append(data))
    lines.take(1, b"x" * (LONGEST + 1))
    assert shown == [b"x" * (LONGEST + 1) + b"\n"]


@pytest.mark.process
def test_runs_start_in_order_on_cpus_of_their_own(tmp_path: Path) -> None:
    jobs, shown, _ = sweep(tmp_path, [(0.3, 0), (0.1, 3), (0.1, 0), (0, 0)], ["0", "1"])
    ends = jobs.run()
    assert [(one.run, one.exit_code) for one in ends] == [
        ("r0", 0),
        ("r1", 3),
        ("r2", 0),
        ("r3", 0),
    ]
    times = sorted(tuple(map(float, data.split()[2:])) for stream, data in shown if stream == 2)
    for cpus in (0.0, 1.0):
        used = [(began, ended) for which, began, ended in times if which == cpus]
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(sorted(used)))
    begun = {data.split()[1].decode() for stream, data in shown if stream == 1}
    assert begun == {"r0", "r1", "r2", "r3"}


@pytest.mark.process
def test_a_run_that_cannot_begin_ends_the_sweep(tmp_path: Path) -> None:
    jobs, _, report = sweep(tmp_path, [(0, 2), (0.2, 0), (0, 0), (0, 0), (0, 0)], ["0", "1"])
    ends = jobs.run()
    assert (ends[0].run, ends[0].exit_code) == (None, 2)
    assert len(ends) < 5
    assert "could not start" in report.said[0]


@pytest.mark.process
def test_ctrl_c_ends_all_and_starts_no_other(tmp_path: Path) -> None:
    jobs, shown, _ = sweep(tmp_path, [(LATE, 0)] * 4, ["0", "1"])

    def interrupt() -> None:
        while sum(stream == 1 for stream, _ in shown) < 2:
            time.sleep(0.02)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with ends_soon():
        assert [one.exit_code for one in jobs.run()] == [130, 130]


@pytest.mark.parametrize(
    ("report", "run"), [(b'{"run": "a"}\n', "a"), (b"", None), (b"[]", None), (b'{"run": 3}', None)]
)
def test_what_a_process_reports(report: bytes, run: str | None) -> None:
    assert read_start(report) == run
    assert json.dumps(run)
