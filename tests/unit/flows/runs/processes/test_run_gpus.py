"""CPUs and GPUs of runs: concurrent ones have their own, and a repetition gets as many."""

from __future__ import annotations

from typing import Any

import pytest

from freezer.check import gpu
from freezer.cli.image.running.at_once import shares_of
from freezer.cli.image.running.invocation import Invocation
from freezer.errors import RunError
from freezer.flows.runs.queries import find
from freezer.flows.runs.repeat.recorded import recorded_gpus, recorded_request
from freezer.flows.runs.repeat.reproduce import reproduce
from freezer.flows.runs.repeat.resume import Resume, resume
from freezer.flows.runs.request import RunRequest
from freezer.inside.freezer_inside.nvml import Gpu
from freezer.model.record.run import Run, Time

pytestmark = pytest.mark.process


def shares(runnable: Any, jobs: int, gpus: int, *, wanted: bool | None = True) -> list[list[str]]:
    values = {"k": ["1", "2", "3", "4"]}
    todo = Invocation(env=None, request=RunRequest(("t",), gpus=wanted), values=values, jobs=jobs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu, "host_gpus", lambda: (Gpu("550", "9.0", "H100"),) * gpus)
        return shares_of(runnable.project, todo)


def test_each_run_at_once_has_its_own_gpus(runnable) -> None:
    assert shares(runnable, 2, 5) == [
        ["--cpu-positions", "0", "--gpu-positions", "0,1"],
        ["--cpu-positions", "1", "--gpu-positions", "2,3"],
    ]
    assert shares(runnable, 2, 5, wanted=False) == [
        ["--cpu-positions", "0"],
        ["--cpu-positions", "1"],
    ]
    for count, message in ((1, "need more GPUs"), (0, "cannot be counted")):
        with pytest.raises(RunError, match=message) as raised:
            shares(runnable, 2, count)
        assert "--no-gpus" in str(raised.value.hint)


def test_gpus_of_a_run_are_requested_recorded_and_requested_again(runnable) -> None:
    runnable.train(lambda inside: (inside.folder("/output") / "x").write_text("1") * 0)
    done = runnable.run("train", gpus=True, gpu_positions=(2, 3))
    options = runnable.made.held.runs[-1]
    assert (options.gpus, options.gpu_positions) == (True, (2, 3))
    fields = done.run.fields
    assert (fields["resources.gpu-count"], fields["resources.gpu-positions"]) == (2, "2,3")
    for again in (
        lambda: reproduce(runnable.project, done.run.id, lambda _stream, _data: None),
        lambda: resume(
            runnable.project, None, Resume(done.run.id), RunRequest(()), lambda _stream, _data: None
        ),
    ):
        again()
        assert runnable.made.held.runs[-1].gpu_positions == (0, 1)


@pytest.mark.parametrize("count", [0, -1, 10**9, "2", 1.5, None])
def test_an_invalid_recorded_number_of_gpus_is_ignored(count: Any) -> None:
    fields = {"resources.gpus": True, "resources.gpu-count": count}
    run = Run(
        "ab", "demo", "finished", Time(1), fields={k: v for k, v in fields.items() if v is not None}
    )
    assert recorded_gpus(run) == (True, ())
    assert recorded_request(run, {}).gpu_positions == ()


def test_more_cpus_than_the_engine_has_are_refused_before_anything_is_recorded(runnable) -> None:
    runnable.made.spec(resources={"cpus": 9})
    before = find(runnable.project, None).total
    folders = list((runnable.project.root / ".freezer" / "runs").glob("*"))
    try:
        with pytest.raises(RunError, match="needs 9 CPUs, but the engine has 2") as raised:
            runnable.run("train")
    finally:
        runnable.made.spec(resources={})
    assert "resources.cpus" in str(raised.value.hint)
    assert find(runnable.project, None).total == before
    assert list((runnable.project.root / ".freezer" / "runs").glob("*")) == folders
