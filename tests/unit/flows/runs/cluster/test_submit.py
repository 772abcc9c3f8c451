"""Submitting: everything is verified first, the job gets what it needs and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import FleetError, FreezerError, RunError
from freezer.fleet.slurm import Slurm
from freezer.fleet.trainings.options import JobOptions
from freezer.fleet.trainings.submission import Submissions
from freezer.flows.runs.cluster import place, submit
from freezer.flows.runs.cluster.batch import SweepPlan
from freezer.flows.runs.cluster.place import file_system, parse_mounts
from freezer.flows.runs.folders import submissions_in
from freezer.flows.runs.processes.sweeps import get_sweep
from freezer.flows.runs.queries import get
from freezer.flows.runs.request import RunRequest
from freezer.model.events import SilentReporter
from tests.support.cluster.fake_slurm import FakeSlurm

pytestmark = pytest.mark.process


class Heard(SilentReporter):
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.said.append(text)


SECRET = "planted-3c9d"


def task(folder: str) -> Any:
    return json.loads((Path(folder) / "task.json").read_text())


def left(fake: FakeSlurm) -> list[Path]:
    """Return what a submission leaves in the project."""
    root = fake.runnable.project.root / ".freezer"
    spool, runs = root / "fleets" / "spool", root / "runs"
    return [one for place in (spool, runs) if place.is_dir() for one in place.iterdir()]


def test_the_job_gets_the_container_of_a_run_on_this_host(fake: FakeSlurm) -> None:
    [one] = fake.submit(
        RunRequest(command=("train", "{lr}"), params={"lr": "0.1"}, seed=7), time=3600
    )
    assert (one.job, one.index, one.key) == ("17", None, f"freezer-{one.run}")
    assert {"--nodes=1", "--no-requeue", "--time=60", "--partition=all"} <= set(fake.words)
    found = task(one.folder)
    assert found["command"] == ["train", "0.1"]
    assert (found["network"], found["cpus"], found["ranks"]) == ("none", 1, 1)
    assert found["environment"]["FREEZER_SEED"] == "7"
    assert found["environment"]["FREEZER_PARAM_LR"] == "0.1"
    targets = {mount["target"]: mount for mount in found["mounts"]}
    assert set(targets) == {"/code", "/output", "/opt/freezer/freezer_runner"}
    assert targets["/code"]["read-only"]
    assert not targets["/output"]["read-only"]
    script = (fake.folder / "script").read_text()
    assert script.endswith(f"host.pyz run {one.folder}/task.json\n")
    run, _ = get(fake.runnable.project, one.run)
    assert (run.state, run.owner["slurm"], run.fields["seed"]) == ("running", one.name, 7)
    assert "host.name" not in run.fields
    assert stat.S_IMODE(Path(one.folder).parent.stat().st_mode) == 0o700


def test_the_code_is_that_of_the_submission_whatever_is_edited_later(fake: FakeSlurm) -> None:
    root = fake.runnable.project.root
    (root / "new.py").write_text("print(1)\n")
    (root / ".env").write_text(SECRET)
    [one] = fake.submit()
    code = Path(one.folder).parent / "code"
    (root / "new.py").write_text("print(2)\n")
    assert (code / "new.py").read_text() == "print(1)\n"
    assert (code / "lockfiles").is_dir()
    assert not (code / ".freezer").exists()
    assert not (code / ".git").exists()
    assert not (code / ".env").exists()
    for name in ("new.py", ".env"):
        (root / name).unlink()
    run, _ = get(fake.runnable.project, one.run)
    assert run.fields["git.left-out"] == ".env"
    assert "git.patch" in run.fields


def test_a_secret_travels_in_the_jobs_environment_alone(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    [one] = fake.submit(RunRequest(command=("train", "{token}"), params={"token": SECRET}))
    environment = (fake.folder / "environment").read_text()
    assert f"FREEZER_PARAM_TOKEN={SECRET}" in environment
    assert environment.count(SECRET) == 1
    assert SECRET not in "".join(fake.words) + (fake.folder / "script").read_text()
    found = task(one.folder)
    assert found["command"] == ["train", "{token}"]
    assert found["secrets"] == {"token": "FREEZER_PARAM_TOKEN"}
    for path in (fake.runnable.project.root / ".freezer").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_a_sweep_is_one_array_with_a_folder_for_each_run(fake: FakeSlurm) -> None:
    requests = [RunRequest(command=("train",), seed=seed) for seed in (1, 2, 3)]
    plan = SweepPlan("sweep-0123456789abcdef", None, ["[1/3]", "[2/3]", "[3/3]"])
    submitted = fake.submit(*requests, sweep=plan, at_once=2)
    assert "--array=1-3%2" in fake.words
    assert (fake.folder / "count").read_text() == "x\n"
    assert [one.number for one in submitted] == ["17_1", "17_2", "17_3"]
    assert [task(one.folder)["environment"]["FREEZER_SEED"] for one in submitted] == ["1", "2", "3"]
    assert (fake.folder / "script").read_text().endswith("/$SLURM_ARRAY_TASK_ID/task.json\n")
    assert len({Path(one.folder).parent for one in submitted}) == 1
    sweep = get_sweep(fake.runnable.project, plan.id)
    assert (sweep.state, sweep.begun) == ("running", tuple(one.run for one in submitted))


@pytest.mark.parametrize(
    ("request_", "how", "said"),
    [
        ({"command": ()}, {}, "no command"),
        (
            {"params": {"token": "x" * 8}, "command": ("a", "--password", "hunter22")},
            {},
            "a secret",
        ),
        ({"command": ("a", "https://me:secret@x.example/")}, {}, "holds a secret"),
        ({"gpus": False}, {"gpus_per_node": 2}, "contradict"),
        ({}, {"nodes": 2}, "reach each other by network"),
        ({}, {"nodes": 3}, "has 2"),
        ({}, {"runtimes": ("lxc",)}, "no container runtime"),
        ({}, {"sbatch": ("--wrap=x",)}, "does not take"),
        ({"output": Path("/")}, {}, "there already"),
        ({"data": ("none",)}, {}, "data"),
    ],
)
def test_what_cannot_work_is_refused_and_leaves_nothing(
    fake: FakeSlurm, request_: Any, how: Any, said: str
) -> None:
    before = left(fake)
    with pytest.raises(FreezerError) as caught:
        fake.submit(RunRequest(**{"command": ("train",), **request_}), **how)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2
    assert not fake.submitted
    assert (left(fake), fake.open) == (before, [])


def test_secrets_that_differ_within_an_array_are_refused(fake: FakeSlurm) -> None:
    requests = [RunRequest(command=("train",), params={"token": one * 8}) for one in "ab"]
    with pytest.raises(FleetError, match="cannot differ"):
        fake.submit(*requests, sweep=SweepPlan("sweep-1", None, ["", ""]))
    assert not fake.submitted


def test_without_slurm_nothing_is_made(fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch) -> None:
    (fake.folder / "sbatch").unlink()
    monkeypatch.setenv("PATH", str(fake.folder))
    before = left(fake)
    with pytest.raises(FleetError, match="Slurm's programs are not here: sbatch"):
        fake.submit()
    assert left(fake) == before


@pytest.mark.parametrize("target", ["contexts", "hosts.yaml", "slurm:", "slurm:all:a b", "local"])
def test_only_a_partition_is_a_target(target: str) -> None:
    with pytest.raises(FleetError, match="--on does not take"):
        place.cluster_of(target, JobOptions())


def test_a_job_that_slurm_refuses_leaves_nothing(fake: FakeSlurm) -> None:
    fake.program("sbatch", "echo 'sbatch: error: Invalid account' >&2; exit 1")
    before = left(fake)
    with pytest.raises(FleetError) as caught:
        fake.submit()
    assert caught.value.found == "Invalid account"
    assert (left(fake), fake.open) == (before, [])


def test_a_controller_that_is_down_takes_no_job(fake: FakeSlurm) -> None:
    gone = "sbatch: error: Batch job submission failed: Unable to contact slurm controller"
    fake.program("sbatch", f"echo '{gone}' >&2; exit 1")
    before = left(fake)
    with pytest.raises(FleetError, match="sbatch failed"):
        fake.submit()
    assert (left(fake), fake.open) == (before, [])


def test_a_job_that_may_have_been_taken_is_kept_and_not_submitted_again(fake: FakeSlurm) -> None:
    fake.program("sbatch", "echo 'sbatch: error: Socket timed out' >&2; exit 1")
    with pytest.raises(FleetError, match="did not answer") as caught:
        fake.submit()
    assert "do not submit it again" in (caught.value.hint or "")
    [one] = fake.open
    assert one.job == ""
    fake.lists(f"23|{one.name}|RUNNING|n1|None")
    assert get(fake.runnable.project, one.run)[0].state == "running"
    assert [kept.job for kept in fake.open] == ["23"]


@pytest.mark.parametrize(
    "sbatch",
    ["echo Submitted", "kill -9 $$", "echo 'error: Zero Bytes were transmitted' >&2; exit 1",
     "echo 'sbatch: error: Connection reset by peer' >&2; exit 1"],
)  # fmt: skip
def test_a_job_is_kept_where_the_answer_does_not_exclude_it(fake: FakeSlurm, sbatch: str) -> None:
    fake.program("sbatch", sbatch)
    with pytest.raises(FleetError, match="is not known"):
        fake.submit()
    [one] = fake.open
    assert (Path(one.folder) / "task.json").exists()
    assert get(fake.runnable.project, one.run)[0].state == "running"


def test_a_disk_that_is_full_while_code_is_copied_leaves_nothing(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    before = left(fake)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(RunError, match="cannot be copied") as caught:
        fake.submit()
    assert "No space left" in (caught.value.found or "")
    assert (left(fake), fake.open, fake.submitted) == (before, [], False)


def test_an_array_that_is_too_large_says_what_to_do(fake: FakeSlurm) -> None:
    said = "sbatch: error: Batch job submission failed: Invalid job array specification"
    fake.program("sbatch", f"echo '{said}' >&2; exit 1")
    before = left(fake)
    requests = [RunRequest(command=("train",), seed=seed) for seed in (1, 2)]
    with pytest.raises(FleetError, match="no job array of 2 runs") as caught:
        fake.submit(*requests, sweep=SweepPlan("sweep-1", None, ["a", "b"]))
    assert "MaxArraySize" in (caught.value.expected or "")
    assert (left(fake), fake.open) == (before, [])


@pytest.mark.parametrize("answers", [True, False])
def test_a_submission_that_the_user_ends_is_withdrawn(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    fake.program("scancel", f'echo "$@" >{fake.folder}/cancelled; exit {int(not answers)}')
    if not answers:
        fake.program("scancel", "echo 'Unable to contact slurm controller' >&2; exit 1")

    def ended(*_: object) -> str:
        raise KeyboardInterrupt

    heard = Heard()
    before = left(fake)
    monkeypatch.setattr(Slurm, "submit_words", ended)
    monkeypatch.setattr(fake.runnable, "project", replace(fake.runnable.project, report=heard))
    with pytest.raises(KeyboardInterrupt):
        fake.submit()
    assert (left(fake), fake.open) == (before, [])
    if answers:
        words = (fake.folder / "cancelled").read_text()
        assert re.search(r"--name=freezer-[0-9a-f]{16}$", words.strip())
        assert f"--user={os.getuid()}" in words
    else:
        assert any("scancel" in text for text in heard.said)


def test_nobody_collects_a_run_before_the_ledger_has_it(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []
    project = fake.runnable.project
    submissions = Submissions(submissions_in(project.root))
    real = submit._record

    def recorded(*some: Any) -> None:
        with submissions.locked(wait=False) as free:
            held.append(not free)
        real(*some)

    monkeypatch.setattr(submit, "_record", recorded)
    fake.submit()
    assert held == [True]
    with submissions.locked(wait=False) as free:
        assert free


def test_a_refused_submission_removes_nothing_of_others(fake: FakeSlurm, tmp_path: Path) -> None:
    output = tmp_path / "there"
    fake.program("sbatch", f"echo x >{output}/theirs; echo 'error: no' >&2; exit 1")
    with pytest.raises(FleetError):
        fake.submit(RunRequest(command=("train",), output=output))
    assert (output / "theirs").exists()
    fake.program("sbatch", "echo 'error: no' >&2; exit 1")
    with pytest.raises(FleetError):
        fake.submit(RunRequest(command=("train",), output=tmp_path / "own"))
    assert not (tmp_path / "own").exists()


def test_gpus_are_those_of_the_options_or_none(fake: FakeSlurm) -> None:
    fake.submit(RunRequest(command=("train",), gpus=True), gpus_per_node=2)
    assert "--gres=gpu:2" in fake.words
    fake.submit()
    assert not any("gpu" in word for word in fake.words)
    fake.program("sinfo", "case \"$*\" in *%n*) hostname ;; *) echo 'n1|idle||(null)|none' ;; esac")
    with pytest.raises(FleetError, match="no node of slurm:all has GPUs"):
        fake.submit(RunRequest(command=("train",), gpus=True))


MOUNTS = """24 1 8:1 / / rw - ext4 /dev/sda1 rw
30 24 0:26 / /tmp rw,nosuid shared:5 - tmpfs tmpfs rw
31 24 0:44 / /home rw - nfs4 server:/home rw
32 31 0:45 / /home/a\\040b rw - overlay overlay rw
noise
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/tmp/x", "tmpfs"), ("/tmpx", "ext4"), ("/home/me", "nfs4"), ("/home/a b/c", "overlay")],
)
def test_the_file_system_of_a_path_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert file_system(Path(path), parse_mounts(MOUNTS)) == kind


@pytest.mark.parametrize(
    ("mount", "host", "refused"),
    [("tmpfs", "elsewhere", True), ("overlay", "elsewhere", True), ("nfs4", "elsewhere", False),
     ("ext4", "elsewhere", False), ("tmpfs", None, False)],
)  # fmt: skip
def test_a_folder_of_this_host_alone_is_refused_for_other_hosts(
    fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch, mount: str, host: str | None, refused: bool
) -> None:
    monkeypatch.setattr(place, "_mounts", lambda: [("/", mount)])
    if host:
        fake.program(
            "sinfo", f"case \"$*\" in *%n*) echo {host} ;; *) echo 'n1|idle||(null)|none' ;; esac"
        )
    if not refused:
        assert fake.submit()
        return
    with pytest.raises(FleetError, match="of this host alone") as caught:
        fake.submit()
    assert caught.value.found == mount
    assert "FREEZER_FLEETS" in (caught.value.hint or "")
    assert not fake.submitted


def test_a_folder_that_is_named_holds_everything_that_nodes_write(
    fake: FakeSlurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEZER_FLEETS", str(tmp_path / "shared"))
    fake.has_image(tmp_path / "shared")
    [one] = fake.submit()
    found = task(one.folder)
    written = [one.folder, found["output"], found["image"]["archive"]]
    written += [mount["source"] for mount in found["mounts"]]
    assert all(path.startswith(f"{tmp_path}/shared/") for path in written)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_can_write_to_starts_no_job(
    fake: FakeSlurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    monkeypatch.setenv("FREEZER_FLEETS", str(tmp_path / "shared"))
    fake.has_image(tmp_path / "shared")
    spool = tmp_path / "shared" / "spool"
    spool.mkdir()
    spool.chmod(mode)
    with pytest.raises(FleetError, match="other users can write"):
        fake.submit()
    assert not fake.submitted
    assert (stat.S_IMODE(spool.stat().st_mode), list(spool.iterdir())) == (mode, [])
    spool.chmod(0o755)
    assert fake.submit()


def test_a_link_of_the_users_own_is_followed(
    fake: FakeSlurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEZER_FLEETS", str(tmp_path / "shared"))
    fake.has_image(tmp_path / "shared")
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "shared" / "spool").symlink_to(tmp_path / "elsewhere")
    [one] = fake.submit()
    assert (tmp_path / "elsewhere" / one.run).is_dir()
    (tmp_path / "elsewhere").chmod(0o777)
    with pytest.raises(FleetError, match="other users can write"):
        fake.submit()


def test_an_output_folder_is_never_shared_by_runs(fake: FakeSlurm, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(RunError, match="there already"):
        fake.submit(RunRequest(command=("train",), output=tmp_path / "there"))
