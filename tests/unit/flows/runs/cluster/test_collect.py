"""Results come from the spool folder into the ledger later, once, and only whole."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import FleetError, RunError
from freezer.fleet.trainings.outcome import LATE
from freezer.fleet.trainings.submission import Submission, Submissions
from freezer.flows.runs.cluster import control, follow
from freezer.flows.runs.cluster.batch import SweepPlan
from freezer.flows.runs.cluster.gather import gather
from freezer.flows.runs.folders import submissions_in
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.processes.detached import give_up
from freezer.flows.runs.processes.sweeps import get_sweep
from freezer.flows.runs.queries import find, get
from freezer.flows.runs.request import RunRequest
from freezer.flows.runs.spool import collect as module
from freezer.flows.runs.spool import compose
from freezer.flows.runs.spool.collect import collect
from freezer.inside.freezer_host.result import sealed
from freezer.model.events import SilentReporter
from freezer.model.record.run import Run, Time, run_bytes
from tests.support.cluster.fake_slurm import FakeSlurm
from tests.support.cluster.fleets import host_line
from tests.support.cluster.trainings import (
    STARTED,
    frames,
    protocol,
    rank,
    result_document,
    write_job,
)

pytestmark = pytest.mark.process
LOSSES = frames(
    (1, b"begins\n"),
    (1, protocol(kind="loss", name="loss", step=0, value=(2.5).hex())),
    (2, b"warns\n"),
    (1, protocol(kind="loss", name="loss", step=1, value=(1.25).hex())),
)


class Heard(SilentReporter):
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.said.append(text)


def ends(one: Submission, *outputs: bytes, **changes: Any) -> bytes:
    """Write what the job of a submission leaves."""
    own = {"run": one.run, "nonce": one.nonce, "image": one.image, "output": Path(one.output)}
    return write_job(Path(one.folder), *outputs, **{**own, **changes})


def run_of(fake: FakeSlurm, one: Submission) -> Run:
    return get(fake.runnable.project, one.run)[0]


def test_any_command_about_runs_records_a_result_once(fake: FakeSlurm) -> None:
    [one] = fake.submit()
    project = fake.runnable.project
    ends(one, LOSSES, files={"weights": b"w"})
    found = find(project, f"id = '{one.run}'").runs[0]
    assert (found.state, found.exit_code) == ("finished", 0)
    assert fake.open == []
    run, series = get(project, one.run)
    assert run == found
    assert list(series["metrics.loss"].values) == [2.5, 1.25]
    assert list(series["metrics.loss"].times) == [STARTED + 2_000_000, STARTED + 4_000_000]
    assert (run.started, run.ended) == (Time(STARTED + 1_000_000), Time(STARTED + 9_000_000))
    assert run.tail == "begins\nwarns"
    assert run.fields["host.name"] == "n1"
    assert run.fields["engine"] == "docker 28.5.2"
    assert run.fields["cpu-seconds"] == 1.5
    assert run.fields["slurm.job"] == "7"
    assert [(left.path, left.sha256) for left in run.outputs] == [
        ("weights", hashlib.sha256(b"w").hexdigest())
    ]
    assert "outputs.changed" not in run.fields
    with project_ledger(project) as ledger:
        assert collect(project, ledger) == {}
    assert get(project, one.run)[0] == run
    batch = Path(one.folder).parent
    assert [path.name for path in batch.iterdir()] == ["1"]


def test_a_command_that_was_killed_after_recording_records_the_same_again(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one] = fake.submit()
    ends(one, LOSSES)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Submissions, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            run_of(fake, one)
    assert len(fake.open) == 1
    project = fake.runnable.project
    with project_ledger(project, collecting=False) as ledger:
        from freezer.ledger import query

        before = query.get(ledger, one.run)
    assert before.state == "finished"
    (Path(one.folder) / "result.json").unlink()  # whatever comes later: the ledger has the end
    fake.lists(f"7|{one.name}|NODE_FAIL|n1|0:0")
    after, series = get(project, one.run)
    assert run_bytes(after) == run_bytes(before)
    assert len(series["metrics.loss"]) == 2
    assert fake.open == []


def test_two_collectors_at_once_record_each_run_once(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [RunRequest(command=("train",), seed=seed) for seed in range(4)]
    submitted = fake.submit(*requests, sweep=SweepPlan("sweep-1111", None, ["a", "b", "c", "d"]))
    for one in submitted:
        ends(one, LOSSES)
    composed: list[str] = []
    real = module.compose

    def slowly(project: Any, one: Submission, end: Any) -> Any:
        composed.append(one.run)
        time.sleep(0.05)
        return real(project, one, end)

    monkeypatch.setattr(module, "compose", slowly)
    project = fake.runnable.project

    def work(_: int) -> set[str]:
        with project_ledger(project, collecting=False) as ledger:
            return set(collect(project, ledger, wait=True))

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(work, range(3)))
    assert sorted(composed) == sorted(one.run for one in submitted)
    assert sum(len(some) for some in found) == 4
    assert find(project, "links.sweep = 'sweep-1111'").total == 4
    sweep = get_sweep(project, "sweep-1111")
    assert (sweep.state, [one.exit_code for one in sweep.runs]) == ("finished", [0, 0, 0, 0])
    assert get_sweep(project, "sweep-1111").runs == sweep.runs


def cut(folder: Path) -> None:
    data = (folder / "result.json").read_bytes()
    (folder / "result.json").write_bytes(data[: len(data) // 2])


def edited(folder: Path) -> None:
    data = (folder / "result.json").read_bytes()
    (folder / "result.json").write_bytes(data.replace(b'"exit":3', b'"exit":0'))


def printed(folder: Path) -> None:
    path = folder / "ranks" / "0.0" / "output"
    path.write_bytes(path.read_bytes().replace((2.5).hex().encode(), (0.5).hex().encode()))


def gone(folder: Path) -> None:
    (folder / "ranks" / "0.0" / "output").unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [(cut, "cut off or edited"), (edited, "cut off or edited"), (printed, "captured output"),
     (gone, "captured output")],
)  # fmt: skip
def test_a_damaged_result_is_refused_and_named(fake: FakeSlurm, damage: Any, said: str) -> None:
    [one] = fake.submit()
    printed_frames = LOSSES
    ends(one, printed_frames, ranks=[rank(0, printed_frames, exit=3)])
    damage(Path(one.folder))
    fake.lists(f"17|{one.name}|COMPLETED|n1|0:0")
    heard = Heard()
    project = replace(fake.runnable.project, report=heard)
    run, _ = get(project, one.run)
    assert run.state == "interrupted"
    assert said in str(run.fields["slurm.reason"])
    assert any(one.run in text and said in text for text in heard.said)


def test_a_damaged_result_of_a_job_that_runs_is_waited_for(fake: FakeSlurm) -> None:
    [one] = fake.submit()
    whole = ends(one, LOSSES)
    cut(Path(one.folder))
    fake.lists(f"17|{one.name}|RUNNING|n1|None")
    assert run_of(fake, one).state == "running"
    (Path(one.folder) / "result.json").write_bytes(whole)
    assert run_of(fake, one).state == "finished"


def test_the_result_of_another_run_is_refused(fake: FakeSlurm) -> None:
    [one], [other] = fake.submit(), fake.submit()
    ends(other, LOSSES)
    ends(one, LOSSES)
    shutil.copy(Path(other.folder) / "result.json", Path(one.folder) / "result.json")
    fake.lists(f"17|{one.name}|COMPLETED|n1|0:0")
    assert run_of(fake, one).fields["slurm.reason"] == (
        "job 17 COMPLETED, 0:0, but the result file is of another run"
    )
    assert run_of(fake, other).state == "finished"


def test_outputs_that_changed_since_keep_the_digest_of_the_end(fake: FakeSlurm) -> None:
    [one] = fake.submit()
    ends(one, files={"a": b"first", "b": b"same"})
    (Path(one.output) / "a").write_bytes(b"other")
    (Path(one.output) / "new").write_bytes(b"later")
    run = run_of(fake, one)
    assert [left.path for left in run.outputs] == ["a", "b"]
    assert run.outputs[0].sha256 == hashlib.sha256(b"first").hexdigest()
    assert run.fields["outputs.changed"] == "a"


@pytest.mark.parametrize(
    ("state", "becomes"),
    [("CANCELLED", "interrupted"), ("TIMEOUT", "interrupted"), ("PREEMPTED", "interrupted"),
     ("NODE_FAIL", "interrupted"), ("OUT_OF_MEMORY", "failed"), ("FAILED", "failed")],
)  # fmt: skip
def test_a_job_without_a_result_leaves_what_it_printed(
    fake: FakeSlurm, state: str, becomes: str
) -> None:
    [one] = fake.submit()
    place = Path(one.folder) / "ranks" / "0.0"
    (place / "record").mkdir(parents=True)
    (place / "output").write_bytes(LOSSES + b"\x01half")
    (place / "record" / "host").write_text(host_line() + "\n")
    (Path(one.output) / "checkpoint").write_bytes(b"c")
    fake.lists(f"17|{one.name}|{state}|n3|0:0")
    run, series = get(fake.runnable.project, one.run)
    assert (run.state, run.exit_code) == (becomes, None)
    assert state in str(run.fields["slurm.reason"])
    assert run.fields["host.name"] == "n3"
    assert "host.class" in run.fields
    assert list(series["metrics.loss"].values) == [2.5, 1.25]
    assert [left.path for left in run.outputs] == ["checkpoint"]
    assert fake.open == []


def test_a_requeued_job_is_one_run(fake: FakeSlurm) -> None:
    [one] = fake.submit(requeue=True)
    for start in ("0.0", "1.0"):
        (Path(one.folder) / "ranks" / start).mkdir(parents=True)
        (Path(one.folder) / "ranks" / start / "output").write_bytes(LOSSES)
    for row in ("NODE_FAIL|n1|0:0", "PENDING||BeginTime", "RUNNING|n2|None"):
        fake.lists(f"17|{one.name}|{row}")
        assert run_of(fake, one).state == "running"
    assert [kept.ended for kept in fake.open] == [None]
    ends(one, LOSSES, restarts=1, ranks=[rank(0, LOSSES, node="n2")])
    run, series = get(fake.runnable.project, one.run)
    assert (run.state, run.fields["slurm.restarts"], run.fields["host.name"]) == (
        "finished", 1, "n2"
    )  # fmt: skip
    assert len(series["metrics.loss"]) == 2


def test_a_job_that_no_list_has_is_given_up_after_a_while(fake: FakeSlurm) -> None:
    [one] = fake.submit()
    assert run_of(fake, one).state == "running"
    [kept] = fake.open
    assert kept.ended is not None
    submissions = Submissions(submissions_in(fake.runnable.project.root))
    submissions.put(kept.model_copy(update={"ended": time.time() - LATE}))
    assert run_of(fake, one).state == "interrupted"


@pytest.mark.parametrize(
    ("name", "becomes"), [("alps", "interrupted"), ("andes", "running"), (None, "interrupted")]
)
def test_the_lists_of_another_cluster_say_nothing(
    fake: FakeSlurm, name: str | None, becomes: str
) -> None:
    fake.program("scontrol", "echo 'ClusterName             = alps'")
    [one] = fake.submit()
    assert one.cluster == "alps"
    fake.program("scontrol", f"echo 'ClusterName = {name}'" if name else "exit 1")
    submissions = Submissions(submissions_in(fake.runnable.project.root))
    for _ in range(2):
        if fake.open and fake.open[0].ended is not None:
            submissions.put(fake.open[0].model_copy(update={"ended": time.time() - LATE}))
        run = run_of(fake, one)
    assert run.state == becomes
    ends(one, LOSSES)
    assert run_of(fake, one).state == ("finished" if becomes == "running" else becomes)


@pytest.mark.parametrize("missing", [True, False])
def test_without_an_answer_of_slurm_only_results_count(
    fake: FakeSlurm, missing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one], [other] = fake.submit(), fake.submit()
    if missing:
        monkeypatch.setenv("PATH", "/nowhere")
    else:
        fake.program("squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    ends(one, LOSSES)
    assert run_of(fake, one).state == "finished"
    assert run_of(fake, other).state == "running"


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", None])
def test_a_shared_folder_that_is_gone_loses_no_run(fake: FakeSlurm, state: str | None) -> None:
    [one] = fake.submit()
    ends(one, LOSSES)
    spool = Path(one.folder).parent.parent
    if state:
        fake.lists(f"17|{one.name}|{state}|n1|0:0")
    submissions = Submissions(submissions_in(fake.runnable.project.root))
    submissions.put(fake.open[0].model_copy(update={"ended": time.time() - 2 * LATE}))
    spool.rename(spool.with_name("away"))
    heard = Heard()
    project = replace(fake.runnable.project, report=heard)
    assert get(project, one.run)[0].state == "running"
    assert any("out of reach" in text and str(spool) in text for text in heard.said)
    spool.with_name("away").rename(spool)
    assert get(project, one.run)[0].state == "finished"


def test_a_run_whose_folder_is_gone_for_good_can_be_given_up(fake: FakeSlurm) -> None:
    [one] = fake.submit()
    shutil.rmtree(Path(one.folder).parent)
    assert give_up(fake.runnable.project, one.run).state == "interrupted"
    assert run_of(fake, one).state == "interrupted"
    assert fake.open == []


def test_one_run_that_cannot_be_recorded_keeps_no_other_waiting(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one], [other] = fake.submit(), fake.submit()
    for both in (one, other):
        ends(both, LOSSES)
    real = module.compose

    def some(project: Any, submission: Submission, end: Any) -> Any:
        if submission.run == one.run:
            raise OSError(5, "Input/output error")
        return real(project, submission, end)

    heard = Heard()
    with monkeypatch.context() as patch:
        patch.setattr(module, "compose", some)
        found = find(replace(fake.runnable.project, report=heard), None).runs
    assert {run.id: run.state for run in found if run.id in (one.run, other.run)} == {
        one.run: "running", other.run: "finished"
    }  # fmt: skip
    assert any(one.run in text and "Input/output error" in text for text in heard.said)
    assert run_of(fake, one).state == "finished"


def test_what_the_spec_expects_decides_here_too(fake: FakeSlurm) -> None:
    fake.runnable.made.spec(expect={"loss": {"ceiling": 1.0}})
    [one] = fake.submit()
    fake.runnable.made.spec(expect={})
    ends(one, LOSSES)
    run = run_of(fake, one)
    assert (run.state, run.exit_code, run.fields["expectations"]) == ("failed", 0, "failed")
    assert follow.exit_code(run) == 1


def test_a_run_of_two_ranks_is_one_record(fake: FakeSlurm) -> None:
    fake.runnable.made.spec(resources={"network": True})
    [one] = fake.submit(nodes=2)
    fake.runnable.made.spec(resources={})
    second = frames((1, protocol(kind="loss", name="loss", step=0, value=9.0)), (1, b"second\n"))
    other = rank(1, second, exit=3, ended=STARTED + 3_000_000, host=host_line(**{"class": "v2"}))
    ends(one, LOSSES, second, ranks=[rank(0, LOSSES, exit=137), other])
    run, series = get(fake.runnable.project, one.run)
    assert (run.state, run.exit_code) == ("failed", 3)
    assert (run.fields["ranks"], run.fields["host.name"]) == (2, "n1, n2")
    assert (run.fields["ranks.1.host"], run.fields["ranks.1.class"]) == ("n2", "v2")
    assert run.fields["ranks.mixed-classes"] is True
    assert run.tail == "second"
    assert list(series["metrics.loss"].values) == [2.5, 1.25]  # those of rank 0
    assert run.fields["cpu-seconds"] == 3.0


def test_a_run_that_was_not_started_says_why(fake: FakeSlurm) -> None:
    [one] = fake.submit()
    ends(one, outcome="no-image", reason="rank 0 on n1: no such image", ranks=[])
    run = run_of(fake, one)
    assert (run.state, run.exit_code) == ("failed", None)
    assert run.tail == "error: no image: rank 0 on n1: no such image"


@pytest.mark.parametrize("outcome", ["ran", "no-image"])
def test_the_clock_of_another_host_makes_no_negative_duration(
    fake: FakeSlurm, outcome: str
) -> None:
    [one] = fake.submit()
    ranks = [rank(started=STARTED, ended=STARTED - 5_000_000)] if outcome == "ran" else []
    ends(one, outcome=outcome, ranks=ranks, ended=5)
    run = run_of(fake, one)
    assert run.state == ("finished" if ranks else "failed")
    assert run.seconds == 0


def test_nothing_is_read_of_outputs_that_changed_however_many(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one] = fake.submit()
    names = [f"{number:02}, x" for number in range(60)]
    ends(one, files=dict.fromkeys((*names, "same"), b"first"))
    for name in names:
        (Path(one.output) / name).write_bytes(b"other")
    seen: list[str] = []
    real = compose.training_files

    def noted(folder: Path, sizes: Any) -> Any:
        seen.extend(sizes)
        return real(folder, sizes)

    monkeypatch.setattr(compose, "training_files", noted)
    assert len(run_of(fake, one).outputs) == 61
    assert seen == ["same"]


def test_data_that_changed_in_mid_run_are_no_finished_run(fake: FakeSlurm) -> None:
    [one] = fake.submit()
    ends(one, changed=["points"])
    run = run_of(fake, one)
    assert (run.state, run.fields["data-changed"]) == ("failed", "points")


def test_collecting_says_what_came_and_what_goes_on(fake: FakeSlurm) -> None:
    [one], [other] = fake.submit(), fake.submit()
    fake.lists(f"17|{other.name}|PENDING||Resources")
    ends(one, ranks=[rank(exit=3)])
    found = gather(fake.runnable.project, None, wait=False)
    assert ([run.id for run in found.runs], found.waiting) == ([one.run], (other.run,))
    ends(other)
    waited = gather(fake.runnable.project, one.run, wait=True)
    assert waited.status == 3
    assert gather(fake.runnable.project, None, wait=False).runs == ()
    with pytest.raises(RunError, match="waited for"):
        gather(fake.runnable.project, one.run, wait=False)


def test_stopping_cancels_the_job_and_records_it(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_PAUSE", 0.0)
    [one] = fake.submit()
    fake.program(
        "scancel", f"echo \"$@\" >{fake.folder}/cancelled; "
        f"echo '17|{one.name}|CANCELLED|n1|0:0' >{fake.queue}"
    )  # fmt: skip
    fake.lists(f"17|{one.name}|RUNNING|n1|None")
    assert control.stop(fake.runnable.project, one.run).state == "interrupted"
    assert (fake.folder / "cancelled").read_text() == "--quiet 17\n"
    assert control.stop(fake.runnable.project, one.run).state == "interrupted"


def test_a_number_that_slurm_used_again_is_not_cancelled(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "PATIENCE", 0.0)
    [one] = fake.submit()
    fake.program("scancel", f'echo "$@" >>{fake.folder}/cancelled')
    fake.lists("17|another|RUNNING|n1|None")
    with pytest.raises(RunError, match="did not end"):
        control.stop(fake.runnable.project, one.run)
    assert not (fake.folder / "cancelled").exists()


def test_a_run_of_another_folder_is_not_waited_for(fake: FakeSlurm) -> None:
    [one] = fake.submit()
    Submissions(submissions_in(fake.runnable.project.root)).remove(one.run)
    with pytest.raises(RunError, match="not submitted from this project folder"):
        control.stop(fake.runnable.project, one.run)
    assert give_up(fake.runnable.project, one.run).state == "interrupted"


def test_a_job_without_a_number_is_cancelled_where_slurm_lists_it(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_PAUSE", 0.0)
    fake.program("sbatch", "echo 'sbatch: error: Socket timed out' >&2; exit 1")
    with pytest.raises(FleetError):
        fake.submit()
    [one] = fake.open
    fake.program(
        "scancel", f"echo \"$@\" >{fake.folder}/cancelled; "
        f"echo '23|{one.name}|CANCELLED|n1|0:0' >{fake.queue}"
    )  # fmt: skip
    fake.lists(f"23|{one.name}|PENDING||Priority")
    control._cancel(fake.runnable.project, "it", [one.run])
    assert (fake.folder / "cancelled").read_text() == "--quiet 23\n"
    assert run_of(fake, one).state == "interrupted"


def test_a_job_without_a_number_cannot_be_cancelled_from_here(fake: FakeSlurm) -> None:
    fake.program("sbatch", "echo 'sbatch: error: Socket timed out' >&2; exit 1")
    with pytest.raises(FleetError):
        fake.submit()
    [one] = fake.open
    with pytest.raises(FleetError, match="number of the job is not known"):
        control.stop(fake.runnable.project, one.run)


def test_what_a_run_prints_is_followed_without_the_protocol(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_PAUSE", 0.0)
    [one] = fake.submit()
    fake.lists(f"17|{one.name}|RUNNING|n1|None")
    run = run_of(fake, one)
    assert list(control.follow(fake.runnable.project, run, wait=False)) == []
    ends(one, LOSSES)
    assert b"".join(control.follow(fake.runnable.project, run, wait=True)) == b"begins\nwarns\n"


def test_waiting_passes_on_output_and_exit_codes(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_LOOK", 0.0)
    monkeypatch.setattr(follow, "_ASK", (0.0,))
    requests = [RunRequest(command=("train",), seed=seed) for seed in (1, 2)]
    submitted = fake.submit(*requests, sweep=SweepPlan("sweep-2222", None, ["a", "b"]))
    ends(submitted[1], LOSSES, ranks=[rank(0, LOSSES, exit=3)])
    fake.lists(f"17_1|{submitted[0].name}|TIMEOUT|n1|0:0")
    seen: list[bytes] = []
    shows = [lambda _, data: seen.append(b"1" + data), lambda _, data: seen.append(b"2" + data)]
    done = list(follow.wait(fake.runnable.project, submitted, shows))
    assert [(one.run.id, one.run.state, one.status) for one in done] == [
        (submitted[0].run, "interrupted", 130),
        (submitted[1].run, "failed", 3),
    ]
    assert b"".join(seen) == b"2begins\n2warns\n"
    assert done[1].metrics["metrics.loss"].values[-1] == 1.25


def test_a_folder_that_is_gone_for_a_while_repeats_no_output(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    for start in ("0.0", "1.0"):
        (folder / "ranks" / start).mkdir(parents=True)
        (folder / "ranks" / start / "output").write_bytes(frames((1, f"{start}\n".encode())))
    seen: list[bytes] = []
    follower = follow.Follower(folder, 1, lambda _, data: seen.append(data))
    follower.look()
    folder.rename(tmp_path / "away")
    follower.look()
    (tmp_path / "away").rename(folder)
    follower.look()
    assert seen == [b"1.0\n"]
    (folder / "ranks" / "2.0").mkdir()
    (folder / "ranks" / "2.0" / "output").write_bytes(frames((1, b"2.0\n")))
    follower.look()
    assert seen == [b"1.0\n", b"2.0\n"]


def test_a_damaged_result_does_not_ask_slurm_all_the_time(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one] = fake.submit()
    whole = ends(one, LOSSES)
    cut(Path(one.folder))
    fake.lists(f"17|{one.name}|RUNNING|n1|None")
    asked: list[int] = []
    looks: list[float] = []
    real = follow._collect

    def collected(project: Any) -> Any:
        asked.append(len(looks))
        return real(project)

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 20:
            (Path(one.folder) / "result.json").write_bytes(whole)
            monkeypatch.setattr(follow, "_ASK", (0.0,))
            clock[0] += 100

    clock = [0.0]
    monkeypatch.setattr(follow.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(follow.time, "sleep", pause)
    monkeypatch.setattr(follow, "_collect", collected)
    [done] = follow.wait(fake.runnable.project, [one], [lambda *_: None])
    assert done.run.state == "finished"
    assert len(asked) == 2


def test_a_spool_folder_that_is_a_link_elsewhere_is_not_followed_for_host_facts(
    fake: FakeSlurm, tmp_path: Path
) -> None:
    [one] = fake.submit()
    place = Path(one.folder) / "ranks" / "0.0" / "record"
    place.mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_text(host_line())
    (place / "host").symlink_to(secret)
    fake.lists(f"17|{one.name}|CANCELLED|n3|0:0")
    assert "host.class" not in run_of(fake, one).fields


def test_the_document_of_a_result_is_stable() -> None:
    assert sealed(result_document()) == sealed(json.loads(json.dumps(result_document())))
