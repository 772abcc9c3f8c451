"""A run is in the ledger from its start; one whose process died is marked by its own host alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from freezer.engine.run import process
from freezer.engine.run.process import is_alive, is_dead, on_this_machine, this_process
from freezer.flows.project.project import Project
from freezer.flows.runs.folders import journal_path
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.queries import find, get
from freezer.ledger.journal import Journal
from freezer.ledger.record import record
from freezer.ledger.series import Points
from freezer.model.record.protocol import PREFIX
from freezer.model.record.run import Run, Time
from tests.support.waiting import SOON

pytestmark = pytest.mark.skipif(not process.place(), reason="there is no /proc here")


@pytest.fixture
def dead() -> dict[str, str | int]:
    """Return the name of a process that lives no more."""
    code = "import json; from freezer.engine.run.process import this_process as p; "
    done = subprocess.run(
        [sys.executable, "-c", code + "print(json.dumps(p()))"], check=True, capture_output=True
    )
    return json.loads(done.stdout)


def begun(owner: dict[str, str | int], number: int = 1) -> Run:
    return Run(f"{number:016x}", "demo", "running", Time(number), owner=owner)


@pytest.mark.process
def test_a_visible_process_is_alive_or_dead(dead: dict[str, str | int]) -> None:
    me = this_process()
    assert is_alive(me)
    assert not is_dead(me)
    assert is_dead(dead)
    assert not is_alive(dead)
    assert is_dead({**me, "began": "1"}), "its number was given again"


@pytest.mark.process
@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({}, True),
        ({"namespace": "pid:[1]"}, False),
        ({"boot": "another"}, True),
        ({"boot": "another", "host": "other"}, False),
        ({"boot": "another", "machine": "other"}, False),
        ({"boot": "another", "machine": ""}, False),
        ({"boot": "", "machine": ""}, False),
        ({"began": ""}, False),
    ],
)
def test_an_invisible_process_is_not_considered_dead(
    dead: dict[str, str | int], change: dict[str, str], gone: bool, monkeypatch
) -> None:
    monkeypatch.setattr(process, "_machine", lambda: "this machine")
    process._here.cache_clear()
    try:
        assert is_dead({**dead, "machine": "this machine", **change}) == gone
    finally:
        process._here.cache_clear()


def test_a_host_known_by_name_alone_is_this_one() -> None:
    host = this_process()["host"]
    assert on_this_machine({"host": host, "pid": 1})
    assert not on_this_machine({"host": "other", "pid": 1})


@pytest.mark.process
def test_a_run_is_listed_while_it_runs_with_what_it_reported(runnable) -> None:
    seen = {}

    def training(inside) -> int:
        line = {"training": "t", "kind": "metric", "name": "acc", "step": 3, "value": "0x1p-1"}
        inside.say(1, PREFIX + json.dumps(line).encode() + b"\n")
        limit = time.monotonic() + SOON
        while time.monotonic() < limit and "metrics.acc" not in seen:
            for run in find(runnable.project, None).runs:
                seen.update(run.fields, state=run.state, owner=run.owner)
            time.sleep(0.1)
        seen["series"] = get(runnable.project, "latest")[1]["metrics.acc"].values[0]
        return 0

    runnable.train(training)
    done = runnable.run()
    assert seen["state"] == "running"
    assert seen["owner"] == {**this_process(), "output": str(done.output)}
    assert (seen["metrics.acc"], seen["series"]) == (0.5, 0.5)
    [last] = find(runnable.project, f"id = '{done.run.id}'").runs
    assert last.state == "finished"
    assert len(get(runnable.project, done.run.id)[1]["metrics.acc"]) == 1


def states(project: Project) -> dict[str, str]:
    """Return the state of what `begun` made, by its number; the project has other runs too."""
    made = (run for run in find(project, None).runs if run.id.startswith("0" * 15))
    return {run.id[-1]: run.state for run in made}


@pytest.mark.process
def test_what_a_dead_process_left_in_a_shared_ledger_is_marked(
    runnable, dead: dict[str, str | int]
) -> None:
    project = runnable.project
    elsewhere = {**dead, "host": "other", "machine": "other", "boot": "other"}
    owners = {1: dead, 2: this_process(), 3: elsewhere, 4: {}}
    with project_ledger(project) as ledger:
        for number, owner in owners.items():
            record(ledger, begun(owner, number))
    found = states(project)
    assert [found[str(number)] for number in owners] == [
        "interrupted", "running", "running", "running",
    ]  # fmt: skip


@pytest.mark.process
def test_the_journal_of_another_machine_is_left_to_it(
    runnable, dead: dict[str, str | int], tmp_path: Path
) -> None:
    project = runnable.project
    for number, owner in ((5, dead), (6, {**dead, "host": "o", "machine": "o", "boot": "o"})):
        journal = Journal(journal_path(project, begun(owner, number).id))
        journal.run(begun(owner, number))
        journal.metrics({"metrics.x": Points.of([(0, 0, 1.0)])})
        journal.close()
    found = states(project)
    assert (found["5"], found.get("6")) == ("interrupted", None)
    assert [path.stem[-1] for path in journal_path(project, "x").parent.glob("*.jsonl")] == ["6"]
