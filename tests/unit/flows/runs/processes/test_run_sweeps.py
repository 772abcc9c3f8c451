"""Detached sweeps: what is kept of one, following it, ending it, and a process that was killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.cli.main import run as freeze
from freezer.engine.run import process
from freezer.errors import RunError
from freezer.flows.project.project import Project
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.processes.detached import follow, follow_sweep, stop_sweep
from freezer.flows.runs.processes.sweeps import (
    Sweep,
    SweepRecord,
    SweepRun,
    get_sweep,
    is_sweep,
    new_sweep_id,
    sweep_log,
    sweeps_under_way,
)
from freezer.ledger.record import record
from freezer.model.record.run import Run, Time
from tests.support.waiting import SOON

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not process.place(), reason="there is no /proc here"),
]
LABELS = ("[1/2 k=1]", "[2/2 k=2]")


def begin(project: Project, monkeypatch: Any = None, owner: dict[str, Any] | None = None):
    """Return the record of a sweep of two runs, the first of which began."""
    sweep = Sweep(new_sweep_id(), "demo", "running", Time(1), 2, ("train", "{k}"))
    made = SweepRecord(project, sweep, LABELS)
    if owner is not None:
        monkeypatch.setattr("freezer.flows.runs.processes.sweeps.this_process", lambda: owner)
    made.began(0, "a" * 16)
    return sweep.id, made


def ended_process() -> dict[str, Any]:
    code = "import json; from freezer.engine.run.process import this_process as p; "
    done = subprocess.run(
        [sys.executable, "-c", code + "print(json.dumps(p()))"], check=True, capture_output=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_sweep_is_kept_from_its_first_run_to_its_end(bare_project: Project) -> None:
    identifier, made = begin(bare_project)
    [found] = sweeps_under_way(bare_project)
    assert (found.id, found.state, found.runs) == (
        identifier,
        "running",
        (SweepRun(LABELS[0], "a" * 16),),
    )
    made.ended(0, 0)
    made.began(1, "b" * 16)
    made.ended(1, 3)
    assert get_sweep(bare_project, identifier[:10]).begun == ("a" * 16, "b" * 16)
    made.end([0, 3])
    assert sweeps_under_way(bare_project) == []
    found = get_sweep(bare_project, identifier)
    assert (found.state, found.runs[1].exit_code, found.ended is None) == ("failed", 3, False)


@pytest.mark.parametrize(
    ("codes", "state"),
    [([0, 0], "finished"), ([0], "failed"), ([1, 0], "failed"), ([0, 130], "interrupted")],
)
def test_how_a_sweep_ended(bare_project: Project, codes: list[int], state: str) -> None:
    identifier, made = begin(bare_project)
    made.end(codes)
    assert get_sweep(bare_project, identifier).state == state


def test_of_a_sweep_without_a_run_nothing_is_kept(bare_project: Project) -> None:
    sweep = Sweep(new_sweep_id(), None, "running", Time(1), 2, ("train",))
    made = SweepRecord(bare_project, sweep, LABELS)
    made.ended(0, 2)
    made.end([2])
    assert not (bare_project.root / ".freezer").exists()
    for name in ("sweep-", sweep.id):
        with pytest.raises(RunError, match="there is no sweep"):
            get_sweep(bare_project, name)


def test_a_sweep_whose_process_was_killed_is_interrupted(bare_project, monkeypatch) -> None:
    identifier, _ = begin(bare_project, monkeypatch, ended_process())
    assert sweeps_under_way(bare_project) == []
    found = get_sweep(bare_project, identifier)
    assert (found.state, found.begun) == ("interrupted", ("a" * 16,))
    assert list((bare_project.root / ".freezer" / "sweeps").glob("*.live")) == []


def test_a_sweep_of_another_host_is_left_to_it(bare_project, monkeypatch) -> None:
    owner = {"host": "o", "machine": "o", "boot": "o", "namespace": "o", "pid": 1, "began": "1"}
    identifier, _ = begin(bare_project, monkeypatch, owner)
    assert [one.id for one in sweeps_under_way(bare_project)] == [identifier]
    with pytest.raises(RunError, match="cannot be ended from here"):
        stop_sweep(bare_project, identifier)


@given(st.lists(st.binary(max_size=80) | st.sampled_from([b"[]", b"{}", b'{"state": 1}'])))
def test_any_state_file_is_a_sweep_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    root = tmp_path_factory.mktemp("project")
    project = Project(root, None, None, None, None)  # type: ignore[arg-type]
    identifier, _ = begin(project)
    path = root / ".freezer" / "sweeps" / f"{identifier}.live"
    path.write_bytes(path.read_bytes() + b"\n".join(lines))
    with contextlib.suppress(RunError):  # what it raises besides that fails
        assert get_sweep(project, identifier).id == identifier


def put(project: Project, identifier: str, state: str, **links: str) -> Run:
    run = Run(identifier, "demo", state, Time(1), tail="last words", links=links)
    with project_ledger(project) as ledger:
        record(ledger, run)
    return run


def test_the_log_of_a_sweep_and_of_each_run_in_it(bare_project: Project) -> None:
    identifier, made = begin(bare_project)
    made.ended(0, 0)
    made.began(1, "b" * 16)
    text = f"{LABELS[0]} one\n{LABELS[1]} two\nrest\n{LABELS[0]} three\n".encode()
    sweep_log(bare_project, identifier).write_bytes(text)
    first = put(bare_project, "a" * 16, "finished", sweep=identifier)
    second = put(bare_project, "b" * 16, "interrupted", sweep=identifier)
    assert b"".join(follow_sweep(bare_project, identifier, wait=False)) == text
    assert b"".join(follow(bare_project, first, wait=True)) == b"one\nthree\n"
    assert b"".join(follow(bare_project, second, wait=True)) == b"last words\n", (
        "it went on when the process of the sweep was killed"
    )
    made.end([0, 130])
    assert b"".join(follow_sweep(bare_project, identifier, wait=True)) == text


SUPERVISOR = """
import sys, time
from freezer.engine.run.process import this_process
from freezer.flows.project.project import Project
from freezer.flows.runs.processes.sweeps import Sweep, SweepRecord
from freezer.model.record.run import Time
from pathlib import Path

project = Project(Path(sys.argv[1]), None, None, None, None)
made = SweepRecord(project, Sweep(sys.argv[2], None, "running", Time(1), 2, ("t",)), ("a", "b"))
made.began(0, "a" * 16)
import signal
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    print("begun", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    made.ended(0, 130)
    made.end([130])
"""


def supervisor(project: Project, identifier: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", SUPERVISOR, str(project.root), identifier]
    started = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdout.readline() == b"begun\n"
    return started


def test_a_sweep_is_ended_with_its_runs(bare_project: Project) -> None:
    identifier = new_sweep_id()
    put(bare_project, "a" * 16, "interrupted", sweep=identifier)
    with supervisor(bare_project, identifier) as started:
        assert stop_sweep(bare_project, identifier).state == "interrupted"
        assert started.wait(SOON) == 0
    assert stop_sweep(bare_project, identifier).state == "interrupted", "nothing is left to do"


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_the_commands_take_a_sweep_for_a_run(bare_project, capsys, option: list[str]) -> None:
    project = bare_project
    identifier, made = begin(project)
    sweep_log(project, identifier).write_text("[1/2 k=1] one\n")
    put(project, "a" * 16, "finished", sweep=identifier)
    place = ["-C", str(project.root), "runs"]
    assert freeze([*place, "list", *option]) == 0
    out = capsys.readouterr().out
    if option:
        assert [one["sweep"] for one in json.loads(out)["sweeps"]] == [identifier]
    else:
        assert f"{identifier}: running, 1 of 2 runs started; " in out
    assert freeze([*place, "show", identifier, *option]) == 0
    out = capsys.readouterr().out
    assert (json.loads(out)["runs"][0]["label"] if option else out).count("[1/2 k=1]") == 1
    assert freeze([*place, "logs", identifier]) == 0
    assert capsys.readouterr().out == "[1/2 k=1] one\n"
    made.end([0, 0])
    assert freeze([*place, "stop", identifier]) == 0
    assert capsys.readouterr().out == f"{identifier}: finished, 1 of 2 runs started\n"
    assert freeze([*place, "logs", "sweep-none"]) == 2


def test_a_killed_supervisor_is_noticed_by_who_follows(bare_project: Project) -> None:
    identifier = new_sweep_id()
    started = supervisor(bare_project, identifier)
    sweep_log(bare_project, identifier).write_bytes(b"one\n")
    lines = follow_sweep(bare_project, identifier, wait=True)
    assert next(lines) == b"one\n"
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    began = time.monotonic()
    assert list(lines) == []
    assert time.monotonic() - began < 10
    assert get_sweep(bare_project, identifier).state == "interrupted"
    assert is_sweep(identifier)
