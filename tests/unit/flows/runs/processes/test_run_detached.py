"""A detached run: its log without secrets, following it, ending it, and runs of lost hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from freezer.engine.run.process import this_process
from freezer.errors import EngineError, RunError
from freezer.flows.runs.folders import journal_path
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.processes import detached
from freezer.flows.runs.processes.detached import follow, give_up, log_path, stop
from freezer.flows.runs.queries import find, get
from freezer.ledger.journal import Journal
from freezer.ledger.record import record
from freezer.model.record.run import Run, Time

pytestmark = pytest.mark.process

CHILD = """
import sys
from pathlib import Path
from freezer.fetch.config import Config
from freezer.flows.project.project import Project
from freezer.flows.runs.processes.detached import DetachedOutput
from freezer.flows.runs.request import RunRequest
from freezer.model.record.run import Run, Time

root = Path(sys.argv[1])
project = Project(root, Config(), None, None, None)
(root / ".freezer" / "runs" / "ab").mkdir(parents=True)
request = RunRequest(("train", "--password", "hunter2hunter2"), params={"token": "sesame42"})
output = DetachedOutput(project, [request], int(sys.argv[2]))
print("before", flush=True)
output.started(Run("ab", "demo", "running", Time(1)))
for part in (b"one\\nhunter2", b"hunter2 and ", b"sesame42\\nlast \\xff", b"x" * 70000, b"\\nend"):
    output.show(1, part)
output.end()
print("a warning", file=sys.stderr)
"""
ELSEWHERE = {"host": "o", "machine": "o", "boot": "o", "namespace": "o", "pid": 1, "began": "1"}


def put(project, number: int, state: str = "running", **more) -> Run:
    run = replace(Run(f"{number:016x}", "demo", state, Time(number)), **more)
    with project_ledger(project) as ledger:
        record(ledger, run)
    return run


def test_the_log_has_everything_but_secrets(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    done = subprocess.run(
        [sys.executable, "-c", CHILD.replace("\\\\", "\\"), str(tmp_path), str(writer)],
        pass_fds=[writer],
        check=True,
        capture_output=True,
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        assert json.loads(stream.read()) == {"run": "ab"}
    assert (done.stdout, done.stderr) == (b"before\n", b"")
    log = tmp_path / ".freezer" / "runs" / "ab" / "log"
    text = b"one\n*** and ***\nlast \xff" + b"x" * 70000 + b"\nend" + b"a warning\n"
    assert log.read_bytes() == text
    assert log.stat().st_mode & 0o077 == 0


def test_a_log_is_followed_to_the_end_of_its_run(runnable) -> None:
    project = runnable.project
    run = put(project, 1, owner=this_process())
    path = log_path(project, run.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"one\n")
    assert b"".join(follow(project, run, wait=False)) == b"one\n"

    def end() -> None:
        time.sleep(0.5)
        with path.open("ab") as stream:
            stream.write(b"two\n")
        alive.clear()

    alive = {"alive": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detached, "is_dead", lambda _owner: not alive)
        threading.Thread(target=end, daemon=True).start()
        assert b"".join(follow(project, run, wait=True)) == b"one\ntwo\n"
    ended = put(project, 2, "finished", tail="last words")
    assert b"".join(follow(project, ended, wait=True)) == b"last words\n"
    with pytest.raises(RunError, match="has no log on this host"):
        list(follow(project, put(project, 3, owner=ELSEWHERE), wait=True))


def test_a_run_of_another_host_can_only_be_marked_as_lost(runnable) -> None:
    project = runnable.project
    run = put(project, 4, owner=ELSEWHERE)
    with pytest.raises(RunError, match="cannot be ended from here") as raised:
        stop(project, run.id)
    assert "--lost" in str(raised.value.hint)
    assert get(project, run.id)[0].state == "running"
    assert give_up(project, run.id).state == "interrupted"
    assert stop(project, run.id).state == "interrupted", "it has ended: nothing to do"
    mine = put(project, 5, owner=this_process())
    with pytest.raises(RunError, match="is not lost"):
        give_up(project, mine.id)


def test_the_journal_of_a_lost_machine_is_recorded_with_lost(runnable) -> None:
    project = runnable.project
    run = put(project, 6, owner=ELSEWHERE)
    journal = Journal(journal_path(project, run.id))
    journal.run(run.with_fields({"metrics.x": 0.5}))
    journal.close()
    assert get(project, run.id)[0].state == "running"
    assert journal.path.exists()
    given_up = give_up(project, run.id)
    assert (given_up.state, given_up.fields["metrics.x"]) == ("interrupted", 0.5)
    assert not journal.path.exists()


def test_a_run_that_the_engine_refuses_is_recorded_as_failed(runnable) -> None:
    def training(inside) -> int:
        raise EngineError("the engine went away")

    runnable.train(training)
    with pytest.raises(EngineError):
        runnable.run(params={"k": "1"})
    [run] = find(runnable.project, "params.k = 1").runs
    assert (run.state, run.tail) == ("failed", "error: the engine went away")
    assert not journal_path(runnable.project, run.id).exists()
