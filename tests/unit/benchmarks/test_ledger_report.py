"""The page of the ledger's benchmark names every target that is missed, and no other."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict

import pytest

from benchmarks.ledger.measure import PARTS
from benchmarks.ledger.report import Row, report
from benchmarks.ledger.run import _some_of
from benchmarks.ledger.sides import family
from benchmarks.ledger.workload import QUERIES, VALUES, example


def page(*rows: Row, large: dict[str, list[float]] | None = None) -> str:
    about = {"date": "2026-11-30", "idle": 0.99, "first": False, "runs": 10}
    parts = {
        "queries": {**about, "settings": ["ours", "theirs"], "rows": [asdict(one) for one in rows]},
        "large": {**about, "idle": 0.5, "metrics": 1000, "large": large or {}},
    }
    kept = json.loads(json.dumps({f"sqlite/{name}": one for name, one in parts.items()}))
    return report(kept, "2 cores")


def row(name: str, freezer: float, mlflow: float, **more) -> Row:
    return Row(name, freezer=[(freezer, freezer)], mlflow=[(mlflow, mlflow)], **more)


def test_targets_that_are_met_are_not_named() -> None:
    text = page(
        row("record a run", 1.0, 15.0),
        row("add 1,000 metrics", 1.0, 25.0),
        row("seed = 1", 0.09, 1.8, target=0.1, query=True),
        large={"record a run": [2.0, 1.0], "seed = 1": [0.19, 0.09]},
    )
    assert "Every target is met." in text
    assert "with 1,000 metric rows" in text


def test_targets_that_are_missed_are_named() -> None:
    text = page(
        row("record a run", 1.0, 14.9),
        row("add 1,000 metrics", 1.0, 24.0),
        row("seed = 1", 0.1, 1.9, target=0.1, query=True),
        Row("seed in (1, 2)", 0.1, query=True, freezer=[(0.05, 0.05)]),
        large={"record a run": [2.1, 1.0], "seed = 1": [0.3, 0.1]},
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


def test_each_part_has_its_date_and_load() -> None:
    text = page(row("seed = 1", 0.01, 1.0, query=True))
    assert "- `queries`: 2026-11-30, CPUs idle for 99% right before\n" in text
    assert "- `large`: 2026-11-30, CPUs idle for 50% right before; others used it" in text


def test_repeats_of_writes_and_the_bound_are_reported() -> None:
    text = page(
        Row(
            "record a run",
            freezer=[(0.001, 0.0), (0.002, 0.0), (0.0015, 0.0)],
            mlflow=[(0.03, 0.0), (0.03, 0.0), (0.03, 0.0)],
            bound=[(0.001, 0.0), (0.001, 0.0), (0.001, 0.0)],
        )
    )
    assert "15.0 to 30.0 times in 3 repeats" in text
    assert "took 1.0 ms" in text
    assert "Freezer adds 0.5 ms to it, MLflow 29.0 ms" in text


def test_parts_and_stores_are_chosen_by_name() -> None:
    parse = _some_of(PARTS)
    assert parse("batch,record") == ["record", "batch"]
    with pytest.raises(argparse.ArgumentTypeError, match="recrod: not one of record, batch"):
        parse("recrod")


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
