"""The command line of ``sbatch``, and jobs of arrays in Slurm's lists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import FleetError
from freezer.fleet.trainings.jobs import (
    TrainingJob,
    parse_tasks,
    require_taken,
    submission_words,
)
from freezer.fleet.trainings.options import JobOptions


def job(**changes: Any) -> TrainingJob:
    values: dict[str, Any] = {
        "name": "freezer-x", "partition": "gpu", "constraint": "", "script": "#!/bin/sh\n",
        "log": "/spool/1/job.log", "cpus": 4, "memory": None, "gpus": 0, "tasks": None,
        "variables": {},
    }  # fmt: skip
    return TrainingJob(**{**values, **changes})


def test_a_run_is_one_job_that_is_not_requeued() -> None:
    assert submission_words(job(), JobOptions()) == [
        "sbatch", "--parsable", "--job-name=freezer-x", "--partition=gpu", "--nodes=1",
        "--ntasks-per-node=1", "--cpus-per-task=4", "--no-requeue", "--open-mode=append",
        "--output=/spool/1/job.log",
    ]  # fmt: skip


def test_memory_is_of_each_rank_and_time_in_minutes() -> None:
    how = JobOptions(nodes=2, ntasks_per_node=4, time=61, requeue=True, sbatch=("--account=ml",))
    words = submission_words(job(memory="2g", gpus=4, constraint="a100&nvlink"), how)
    assert words[4:8] == ["--nodes=2", "--ntasks-per-node=4", "--cpus-per-task=4", "--requeue"]
    assert words[10:] == [
        "--constraint=a100&nvlink", "--mem=8G", "--time=2", "--gres=gpu:4", "--account=ml"
    ]  # fmt: skip


@pytest.mark.parametrize(("at_once", "array"), [(None, "--array=1-8"), (3, "--array=1-8%3")])
def test_a_sweep_is_one_array(at_once: int | None, array: str) -> None:
    assert array in submission_words(job(tasks=8), JobOptions(at_once=at_once))


def test_tasks_of_an_array_are_found_one_by_one() -> None:
    text = (
        "12_3|freezer-s|PENDING||Resources\n12_1|freezer-s|RUNNING|n1|None\n"
        "13|freezer-x|CANCELLED by 0|n2|0:0\n12_[4-9]|freezer-s|PENDING||None assigned\nnoise\n"
    )
    found = parse_tasks(text)
    assert {key: (one.number, one.state) for key, one in found.items()} == {
        "freezer-s_3": ("12_3", "PENDING"),
        "freezer-s_1": ("12_1", "RUNNING"),
        "freezer-x": ("13", "CANCELLED"),
    }
    assert found["freezer-s_3"].note == "Resources"


@given(st.text(max_size=200))
def test_any_text_is_parsed(text: str) -> None:
    assert all(one.name in key for key, one in parse_tasks(text).items())


@pytest.mark.parametrize("said", ["", "error", "12;x\n13", "-1", "12_3"])
def test_only_a_number_is_a_job(said: str) -> None:
    if said.startswith("12;"):
        assert require_taken("12;cluster\n") == "12"
        return
    with pytest.raises(FleetError, match="no job number"):
        require_taken(said)
