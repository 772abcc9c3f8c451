"""The commands: what `freeze run --on` prints, refuses and returns, and `freeze runs collect`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from freezer.flows.runs.cluster import follow
from tests.support.cluster.fake_slurm import FakeSlurm
from tests.support.cluster.trainings import frames, protocol, rank, write_job
from tests.support.host.commands import Outcome, Project
from tests.support.project.documented import SHIPPED
from tests.support.waiting import wait_until

pytestmark = pytest.mark.process


@pytest.fixture
def command(fake: FakeSlurm, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(follow, "_LOOK", 0.0)
    monkeypatch.setattr(follow, "_ASK", (0.0,))
    root = fake.runnable.project.root
    return Project(root, root.parent / "store", SHIPPED)


def submitted(command: Project, *options: str) -> Outcome:
    return command.freeze("run", SHIPPED, "--on", "slurm:all", *options, "--", "train")


def ends(fake: FakeSlurm, code: int = 0) -> None:
    """Let the jobs of all submissions end."""
    output = frames((1, b"hello\n"), (1, protocol(kind="loss", name="loss", step=0, value=1.5)))
    for one in fake.open:
        write_job(
            Path(one.folder), output, run=one.run, nonce=one.nonce, image=one.image,
            output=Path(one.output), ranks=[rank(0, output, exit=code)],
        )  # fmt: skip


def test_a_detached_run_prints_its_id_alone(fake: FakeSlurm, command: Project) -> None:
    done = submitted(command, "--detach").good()
    [one] = fake.open
    assert done.out == f"{one.run}\n"
    assert "job 17" in done.err
    document = submitted(command, "--detach", "--json").good().document
    assert (document["state"], document["job"]) == ("running", "17")
    sweep = submitted(command, "--detach", "--json", "--each", "seed=1..3").good().document
    assert sweep["total"] == 3
    assert [run["job"] for run in sweep["runs"]] == ["17_1", "17_2", "17_3"]
    listed = command.freeze("runs", "list", "--json").good().document
    assert sweep["sweep"] in [found["sweep"] for found in listed["sweeps"]]


def test_a_run_is_collected_with_its_exit_code(fake: FakeSlurm, command: Project) -> None:
    run = submitted(command, "--detach").good().out.strip()
    assert "1 run without a result yet" in command.freeze("runs", "collect").good().out
    shown = command.freeze("runs", "show", run).good().out
    assert "on the cluster" in shown
    ends(fake, 3)
    found = command.freeze("runs", "collect", "--wait", run, "--json").failed(3).document
    assert (found["status"], found["waiting"], found["runs"][0]["id"]) == (3, [], run)
    assert "nothing to collect" in command.freeze("runs", "collect").good().out
    assert command.freeze("runs", "list", f"id = '{run}'", "--json").good().document["total"] == 1


def test_waiting_passes_on_the_exit_code_and_one_document(
    fake: FakeSlurm, command: Project
) -> None:
    def work() -> None:
        wait_until(lambda: [one.job for one in fake.open] == ["17"], "it is submitted")
        [one] = fake.open
        write_job(
            Path(one.folder), run=one.run, nonce=one.nonce, image=one.image,
            output=Path(one.output), ranks=[rank(exit=4)],
        )  # fmt: skip

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work)
        done = submitted(command, "--json").failed(4, "failed with exit code 4")
    assert (done.document["status"], done.document["state"]) == (4, "failed")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--nodes", "2"), "--on TARGET"),
        (("--time", "2h", "--requeue"), "--on TARGET"),
        (("--on", "slurm:all", "--time", "90"), "--time does not take"),
        (("--on", "contexts"), "--on does not take 'contexts'"),
        (("--on", "slurm:all", "--resume", "latest"), "--resume does not work with --on"),
        (("--on", "slurm:all", "--detach", "--junit", "x.xml"), "JUnit"),
        (("--on", "slurm:all", "--sbatch=--array=1-5"), "--each"),
        (("--on", "slurm:all", "--mixed-classes"), "several ranks"),
        (("--on", "slurm:all:none"), "features"),
        (("--on", "slurm:all", "--nodes", "0"), "--nodes"),
    ],
)
def test_what_does_not_go_together_is_refused(
    fake: FakeSlurm, command: Project, options: Any, said: str
) -> None:
    command.freeze("run", SHIPPED, *options, "--", "train").failed(2, said)
    assert not fake.submitted
    assert fake.open == []


def test_the_result_of_a_run_of_several_ranks_is_not_made_again_here(
    fake: FakeSlurm, command: Project
) -> None:
    fake.runnable.made.spec(resources={"network": True})
    run = submitted(command, "--detach", "--nodes", "2").good().out.strip()
    fake.runnable.made.spec(resources={})
    [one] = fake.open
    write_job(
        Path(one.folder), b"", b"", run=one.run, nonce=one.nonce, image=one.image,
        output=Path(one.output),
    )  # fmt: skip
    command.freeze("runs", "show", run).good()
    command.freeze("runs", "reproduce", run).failed(2, "had 2 ranks, on n1, n2", "--on slurm:")
