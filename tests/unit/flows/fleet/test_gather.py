"""The state of every host from result files and jobs, and the references made of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from freezer.check.reference import all_references, write_reference
from freezer.errors import BusyError, FleetError, HostError
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.fleet.folder import FleetFolder
from freezer.fleet.jobs import Job, Node
from freezer.fleet.request import Request, Submission
from freezer.fleet.slurm import JobRequest, Slurm
from freezer.flows.fleet import follow
from freezer.flows.fleet.follow import cancel, latest_fleets, read_fleet, resume, wait
from freezer.flows.fleet.gather import Fleet
from freezer.flows.fleet.record import record_references
from freezer.flows.project.project import Project
from freezer.model.events import SilentReporter
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id
from freezer.output.fleet.exports import junit_xml
from freezer.output.fleet.page import page
from freezer.output.fleet.report import document
from tests.support.cluster.fleets import (
    attempt,
    environment,
    make_fleet,
    request,
    result_document,
    write_result,
)
from tests.support.project.locks import make_lock
from tests.support.project.records import lines, record


class Warnings(SilentReporter):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def no_engine() -> Any:
    raise FleetError("there is no engine here")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project with one lock and a reference of the class of `records.HOST`."""
    root = tmp_path / "project"
    folder = root / "lockfiles" / "demo"
    folder.mkdir(parents=True)
    (folder / LOCK_FILE).write_bytes(lock_bytes(make_lock()))
    found = Project(root, Config(), Store.open(tmp_path / "store"), no_engine, Warnings())
    made = record().model_copy(
        update={"lock_id": own_lock(found), "inside": make_lock().inside.sha256}
    )
    write_reference(folder, made)
    return found


def own_lock(project: Project) -> str:
    return lock_id((project.root / "lockfiles" / "demo" / LOCK_FILE).read_bytes())


def asked_of(project: Project, *hosts: str) -> Request:
    one = environment(lock_id=own_lock(project)).model_copy(
        update={"inside": make_lock().inside.sha256}
    )
    return request(*hosts, environments=(one,))


def put(project: Project, folder: FleetFolder, host: str, **changes: Any) -> Path:
    return write_result(folder, result_document(host, **{"lock-id": own_lock(project), **changes}))


def scheduler(monkeypatch: pytest.MonkeyPatch, **states: str) -> None:
    """Have every job be completed, but for those of the named hosts."""

    def jobs(self: Slurm, names: set[str], since: int, known: Any) -> dict[str, Job]:
        found = {}
        for name in names:
            host = name.rpartition("-")[2]
            if states.get(host) != "UNKNOWN":
                found[name] = Job("7", name, states.get(host, "COMPLETED"), host, "0:0")
        return found

    monkeypatch.setattr(Slurm, "jobs", jobs)


def states(fleet: Fleet) -> dict[str, str]:
    return {row.host: row.state.title for row in fleet.rows}


def test_each_host_has_a_verdict_or_a_reason(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = ("good", "drift", "fail", "other", "dead", "cut", "late", "down")
    tried = attempt(*hosts)
    down = Submission(environments=("demo",), cause="down", reason="the node is down")
    tried = tried.model_copy(update={"hosts": {**tried.hosts, "down": down}})
    folder = make_fleet(tmp_path, asked_of(project, *hosts), tried)
    put(project, folder, "good")
    put(project, folder, "drift", told=lines(weight=1.5))
    put(project, folder, "fail", told=lines(end=False))
    put(project, folder, "other", host_facts={"class": "x86-64-v3-haswell"})
    put(project, folder, "dead")
    cut = put(project, folder, "cut")
    cut.write_bytes(cut.read_bytes()[:-100])
    scheduler(monkeypatch, dead="NODE_FAIL")
    fleet = read_fleet(project, folder)
    assert states(fleet) == {
        "good": "identical",
        "drift": "drifted",
        "fail": "failed",
        "other": "not comparable",
        "dead": "not checked (lost)",
        "cut": "not checked (lost)",
        "late": "waiting",
        "down": "not checked (down)",
    }
    assert not fleet.good
    assert all(row.state.reason for row in fleet.rows if row.host != "good")
    found = {one["host"]: one for one in document(fleet)["hosts"]}
    assert "0:0" in found["dead"]["reason"]
    assert "w1 at step 2" in found["drift"]["reason"]
    assert found["drift"]["first-difference"]["expected"].startswith("f4 3")
    assert "no reference of class" in found["other"]["reason"]


def test_what_the_spec_expects_counts_on_hosts_too(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_fleet(tmp_path, asked_of(project), attempt())
    put(project, folder, "n1")
    scheduler(monkeypatch)
    spec = "name: demo\npython: '3.11'\nbase: {bootstrap: bookworm}\nplatform: linux/amd64\npip: [numpy]\n"
    for bound, title in (("0.6", "identical"), ("0.4", "failed")):
        expected = f"expect: {{loss: {{ceiling: {bound}}}}}\n"
        (project.root / "freeze.yaml").write_text(spec + expected)
        fleet = read_fleet(project, folder)
        assert states(fleet) == {"n1": title}, fleet.rows[0].state


def test_a_fleet_whose_start_was_killed_asked_nobody(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_fleet(tmp_path, asked_of(project), attempt())
    (folder.path / "attempts" / "1.json").unlink()
    scheduler(monkeypatch)
    assert states(read_fleet(project, folder)) == {"n1": "not checked (lost)"}
    monkeypatch.setattr(Slurm, "nodes", lambda *_: {"n1": Node("n1", "idle")})
    monkeypatch.setattr(Slurm, "submit", lambda *_: "8")
    monkeypatch.setattr(follow, "require_slurm", lambda: None)
    assert states(resume(project, folder)) == {"n1": "waiting"}
    assert folder.attempts()[0].hosts["n1"].job == "8"


def test_resume_asks_hosts_without_a_verdict_and_no_others(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = ("good", "drift", "dead", "runs", "down", "full")
    folder = make_fleet(tmp_path, asked_of(project, *hosts), attempt(*hosts))
    put(project, folder, "good")
    put(project, folder, "drift", told=lines(weight=1.5))
    put(project, folder, "full", outcome="no-space", reason="no space left on device", lines=[])
    scheduler(monkeypatch, dead="NODE_FAIL", runs="RUNNING", down="CANCELLED")
    asked: list[str] = []

    def submit(self: Slurm, partition: str, job: JobRequest) -> str:
        asked.append(job.node)
        if job.node == "full":
            raise FleetError("sbatch failed", found="Job violates accounting policy")
        return "8"

    nodes = {
        host: Node(host, "drained" if host == "down" else "idle", reason="fan") for host in hosts
    }
    monkeypatch.setattr(Slurm, "nodes", lambda *_: nodes)
    monkeypatch.setattr(Slurm, "submit", submit)
    monkeypatch.setattr(follow, "require_slurm", lambda: None)
    found = states(resume(project, folder))
    assert sorted(asked) == ["dead", "full"]
    assert found["down"] == "not checked (drained)"
    assert found["full"] == "not checked (refused)"
    assert [one.number for one in folder.attempts()] == [1, 2]
    with folder.locked(), pytest.raises(BusyError):
        resume(project, folder)


def test_a_job_that_ended_is_not_cancelled_while_its_result_is_on_its_way(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = {"late": "1", "runs": "2", "ends": "3", "forgotten": "4", "dead": "5"}
    tried = attempt(*numbers)
    hosts = {
        host: one.model_copy(update={"job": numbers[host]}) for host, one in tried.hosts.items()
    }
    tried = tried.model_copy(update={"created": int(time.time()), "hosts": hosts})
    folder = make_fleet(tmp_path, asked_of(project, *numbers), tried)
    listed = {"late": "COMPLETED", "runs": "RUNNING", "ends": "COMPLETING", "dead": "NODE_FAIL"}

    def jobs(self: Slurm, names: set[str], since: int, known: Any) -> dict[str, Job]:
        named = {host: tried.job_name(folder.id, host) for host in listed}
        return {
            name: Job(numbers[host], name, listed[host], host, "0:0")
            for host, name in named.items()
        }

    cancelled: list[str] = []
    monkeypatch.setattr(Slurm, "jobs", jobs)
    monkeypatch.setattr(Slurm, "cancel", lambda _, asked: cancelled.extend(asked))
    monkeypatch.setattr(follow, "require_slurm", lambda: None)
    assert states(read_fleet(project, folder)) == {
        **dict.fromkeys(("late", "runs", "ends", "forgotten"), "waiting"),
        "dead": "not checked (lost)",
    }
    # One that is ending may be one that starts again, so it is cancelled too.
    assert cancel(project, folder) == 3
    assert cancelled == ["2", "3", "4"]


def test_fleets_are_listed_latest_first_without_damaged_ones(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler(monkeypatch)
    root = project.root / ".freezer" / "fleets"
    root.mkdir(parents=True)
    for hour in range(10, 14):
        asked = asked_of(project).model_copy(update={"id": f"20261130-{hour}0000-0a1b"})
        make_fleet(root, asked, attempt())
    (root / "20261130-130000-0a1b" / "attempts" / "1.json").write_text("{")
    assert [one.id[9:11] for one in latest_fleets(project, 3)] == ["12", "11"]
    assert isinstance(project.report, Warnings)
    assert "20261130-130000-0a1b" in project.report.warnings[-1]


def test_another_lock_by_now_is_not_compared(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_fleet(tmp_path, asked_of(project), attempt())
    put(project, folder, "n1")
    scheduler(monkeypatch)
    other = lock_bytes(make_lock(as_of="2026-11-02T00:00:00Z"))
    (project.root / "lockfiles" / "demo" / LOCK_FILE).write_bytes(other)
    fleet = read_fleet(project, folder)
    assert states(fleet) == {"n1": "not comparable"}
    assert "another lock" in fleet.rows[0].state.reason


def test_a_controller_that_is_gone_leaves_the_last_known_states(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_fleet(tmp_path, asked_of(project, "n1", "n2"), attempt("n1", "n2"))
    put(project, folder, "n1")
    scheduler(monkeypatch, n2="UNKNOWN")
    read_fleet(project, folder)

    def gone(*_: Any) -> Any:
        raise FleetError("squeue failed", found="Unable to contact slurm controller")

    monkeypatch.setattr(Slurm, "jobs", gone)
    fleet = read_fleet(project, folder)
    assert states(fleet) == {"n1": "identical", "n2": "waiting"}
    assert "does not answer" in fleet.rows[1].state.reason
    assert isinstance(project.report, Warnings)
    assert "last known states" in project.report.warnings[-1]


def test_a_folder_that_is_gone_for_a_while_is_waited_for(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_fleet(tmp_path, asked_of(project), attempt())
    put(project, folder, "n1")
    scheduler(monkeypatch)
    away = folder.path.with_name("away")
    folder.path.rename(away)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            away.rename(folder.path)

    assert states(wait(project, folder, pause)) == {"n1": "identical"}
    assert len(pauses) == 3


def test_the_latest_attempt_counts(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_fleet(tmp_path, asked_of(project), attempt())
    put(project, folder, "n1")
    scheduler(monkeypatch)
    folder.write_task(2, {})
    folder.write_attempt(attempt(number=2))
    assert states(read_fleet(project, folder)) == {"n1": "waiting"}
    put(project, folder, "n1", attempt=2, told=lines(weight=2.5))
    fleet = read_fleet(project, folder)
    assert (states(fleet), fleet.rows[0].attempt) == ({"n1": "drifted"}, 2)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ((1.5, 1.5), None),
        ((1.5, 2.5), "2 hosts have 2 different results"),
        ((1.5,), "only one host of it has results"),
    ],
)
def test_two_hosts_of_a_class_must_agree_to_record_it(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    weights: tuple[float, ...],
    said: str | None,
) -> None:
    hosts = [f"n{number}" for number in range(len(weights))]
    folder = make_fleet(tmp_path, asked_of(project, *hosts), attempt(*hosts))
    for host, weight in zip(hosts, weights, strict=True):
        other = {"class": "x86-64-v3-haswell"}
        put(project, folder, host, told=lines(weight=weight), host_facts=other)
    scheduler(monkeypatch)
    fleet = record_references(project, folder)
    recorded = all_references(project.root / "lockfiles" / "demo", own_lock(project))
    assert isinstance(project.report, Warnings)
    if said is None:
        assert set(states(fleet).values()) == {"identical"}
        assert {one.host.class_ for one in recorded} == {"x86-64-v3-haswell", "x86-64-v4-skylakex"}
    else:
        assert set(states(fleet).values()) == {"not comparable"}
        assert len(recorded) == 1
        assert any(said in one for one in project.report.warnings)


def test_a_thousand_hosts_are_judged_and_drawn_in_two_seconds(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Result files of 50 kB each; CPU time, so that a busy machine changes nothing."""
    many = [line for step in range(60) for line in lines(weight=1.0 + step)[:-1]]
    told = [*lines()[:-1], *many, lines()[-1]]
    drifted = [*told[:-1], *lines(weight=9.5)[:-1], told[-1]]
    hosts = [f"node{number}" for number in range(1000)]
    folder = make_fleet(tmp_path, asked_of(project, *hosts), attempt(*hosts))
    for number, host in enumerate(hosts):
        facts = {"kernel": "6.1" if number % 10 else "6.6"}
        put(project, folder, host, told=told if number % 10 else drifted, facts=facts)
    size = folder.result(1, "node1", "demo").stat().st_size
    assert size > 50_000
    scheduler(monkeypatch)
    before = time.process_time()
    fleet = read_fleet(project, folder)
    drawn = page(fleet)
    took = time.process_time() - before
    assert took < 2
    assert len(fleet.rows) == 1000
    assert drawn.count("node999") >= 1
    assert len(drawn) < 1_000_000


def test_a_folder_that_goes_while_it_is_waited_for_is_no_fleet_without_jobs(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_fleet(tmp_path, asked_of(project), attempt())
    scheduler(monkeypatch)
    away, pauses = folder.path.with_name("away"), 0

    def pause(seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 1:
            folder.path.rename(away)
            folder.path.mkdir()
        if pauses == 3:
            folder.path.rmdir()
            away.rename(folder.path)
            put(project, folder, "n1")

    assert states(wait(project, folder, pause)) == {"n1": "identical"}
    assert pauses == 3


def test_a_job_of_the_same_name_is_not_the_one_that_was_submitted(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = attempt()
    other = tried.hosts["n1"].model_copy(update={"job": "99"})
    folder = make_fleet(
        tmp_path, asked_of(project), tried.model_copy(update={"hosts": {"n1": other}})
    )
    put(project, folder, "n1")
    scheduler(monkeypatch)
    assert states(read_fleet(project, folder)) == {"n1": "not checked (lost)"}


def test_a_requeued_job_has_time_for_its_result_again(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_fleet(tmp_path, asked_of(project), attempt())
    scheduler(monkeypatch, n1="NODE_FAIL")
    assert states(read_fleet(project, folder)) == {"n1": "not checked (lost)"}
    known = {name: one._replace(ended=1.0) for name, one in folder.known_jobs().items()}
    folder.keep_jobs(known)
    scheduler(monkeypatch)
    assert states(read_fleet(project, folder)) == {"n1": "waiting"}
    put(project, folder, "n1")
    assert states(read_fleet(project, folder)) == {"n1": "identical"}


def test_a_full_disk_costs_no_verdict(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_fleet(tmp_path, asked_of(project), attempt())
    put(project, folder, "n1")
    scheduler(monkeypatch)

    def full(*_: Any) -> None:
        raise HostError("the disk is full")

    monkeypatch.setattr(FleetFolder, "keep_jobs", full)
    assert states(read_fleet(project, folder)) == {"n1": "identical"}
    assert isinstance(project.report, Warnings)
    assert "not stored: the disk is full" in project.report.warnings[-1]


def test_a_job_that_failed_is_lost_with_its_last_words_and_resumed_with_its_options(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_of(project).model_copy(update={"options": ("--account=ml",)})
    folder = make_fleet(tmp_path, asked, attempt())
    folder.log(1, "n1").write_text("python3: not found\n")
    scheduler(monkeypatch, n1="FAILED")
    fleet = read_fleet(project, folder)
    assert fleet.rows[0].state.reason.endswith("its output ends with: python3: not found")
    used: list[object] = []
    monkeypatch.setattr(Slurm, "nodes", lambda *_: {"n1": Node("n1", "idle")})
    monkeypatch.setattr(Slurm, "submit", lambda self, *_: used.append(self._options))
    monkeypatch.setattr(follow, "require_slurm", lambda: None)
    resume(project, folder)
    assert used == [("--account=ml",)]
    # It did not say whether it took the job, which is then not refused.
    assert (folder.attempts()[1].hosts["n1"].job, folder.attempts()[1].hosts["n1"].cause) == (
        None,
    ) * 2


def test_a_host_that_drifts_has_likely_causes_without_another_run(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = ("good", "same", "other", "threads")
    folder = make_fleet(tmp_path, asked_of(project, *hosts), attempt(*hosts))
    put(project, folder, "good")
    changed = lines(weight=1.5)
    put(project, folder, "same", told=changed)
    put(project, folder, "other", told=changed, host_facts={"blas-kernels": ["Haswell"]})
    put(project, folder, "threads", told=changed, host_facts={"settings": {"OMP_NUM_THREADS": "8"}})
    scheduler(monkeypatch)
    fleet = read_fleet(project, folder)
    causes = {row.host: row.causes for row in fleet.rows}
    assert causes["good"] == ()
    assert "those of the reference" in causes["same"][0]
    assert any("the BLAS kernels: Haswell" in one for one in causes["other"])
    assert any("OMP_NUM_THREADS is 8" in one for one in causes["threads"])
    assert "would try it with" in causes["threads"][-1]
    found = {one["host"]: one["causes"] for one in document(fleet)["hosts"]}
    assert found["other"] == list(causes["other"])
    assert "likely cause: " in junit_xml(fleet).decode()
    assert "likely cause: the BLAS kernels" in page(fleet)
