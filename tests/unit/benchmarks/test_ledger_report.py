"""The page of the ledger's benchmark names every target that is missed, and no other."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.ledger.report import Row, Section, report
from benchmarks.ledger.sides import family
from benchmarks.ledger.workload import QUERIES, VALUES, example


def page(*rows: Row) -> str:
    section = Section("SQLite", ("ours", "theirs"), list(rows), 1000)
    return report([section], "3", 10, 0.5, first=False)


def row(name: str, freezer: float, mlflow: float, **more) -> Row:
    return Row(name, freezer=[(freezer, freezer)], mlflow=[(mlflow, mlflow)], **more)


def test_targets_that_are_met_are_not_named() -> None:
    text = page(
        row("record a run", 1.0, 15.0, large=2.0),
        row("add 1,000 metrics", 1.0, 25.0),
        row("seed = 1", 0.09, 1.8, target=0.1, query=True, large=0.19),
    )
    assert "Every target is met." in text


def test_targets_that_are_missed_are_named() -> None:
    text = page(
        row("record a run", 1.0, 14.9, large=2.1),
        row("add 1,000 metrics", 1.0, 24.0),
        row("seed = 1", 0.1, 1.9, target=0.1, query=True, large=0.3),
        Row("seed in (1, 2)", 0.1, query=True, freezer=[(0.05, 0.05)]),
    )
    for part in (
        "record a run: 14.9 times, not 15",
        "record a run in the large ledger: 2.1",
        "add 1,000 metrics: 24.0 times, not 25",
        "seed = 1: 19.0 times, not 20",
        "seed = 1: 0.100 s, not 0.1",
        "seed = 1 in the large ledger: 0.3",
    ):
        assert part in text
    assert "seed in (1, 2):" not in text
    assert "cannot be said" in text


def test_examples_are_the_same_each_time_and_have_as_many_values() -> None:
    assert example(7) == example(7)
    assert len(example(7).params) + len(example(7).metrics) == VALUES
    assert len({text for text, _ in QUERIES}) == len(QUERIES)


@pytest.mark.process
def test_a_process_is_of_its_own_family() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as child:
        assert child.pid in family({os.getpid()})
        assert os.getppid() not in family({os.getpid()})
        child.communicate()
