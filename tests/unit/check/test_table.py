"""Every factor of two records side by side, with what came of putting it back."""

from __future__ import annotations

from typing import Any

from freezer.check.cause.experiments import Experiment, ExperimentResult, experiments
from freezer.check.cause.table import Row, factor_table
from freezer.check.compare.compare import compare
from freezer.model.record.record import Record
from tests.support.project.records import lines, record

THREADS = {"settings": {"OMP_NUM_THREADS": "4"}}


def rows(expected: Record, found: Record, *tried: ExperimentResult) -> dict[str, Row]:
    found_rows = factor_table(expected, found, tried)
    assert len({row.factor for row in found_rows}) == len(found_rows)
    assert [row.same for row in found_rows] == sorted(row.same for row in found_rows)
    return {row.factor: row for row in found_rows}


def test_two_equal_records_differ_in_nothing() -> None:
    found = rows(record(), record())
    assert all(row.same for row in found.values())
    assert {"OMP_NUM_THREADS", "BLAS kernels", "CPU", "numpy: version of numpy"} <= found.keys()
    assert "GPUs" not in found  # neither has any


def test_each_kind_of_factor_has_its_row() -> None:
    changed: dict[str, Any] = {**THREADS, "gpus": ["A"], "flags": ["avx2", "smep"]}
    told = lines(data=b"other", seed="77")
    found = rows(record(), record(told, **changed))
    differing = {name: (row.expected, row.found) for name, row in found.items() if not row.same}
    assert differing == {
        "OMP_NUM_THREADS": ("2", "4"),
        "GPUs": ("none", "A"),
        "CPU features for arithmetic": ("avx2 avx512f", "avx2"),
        "numpy: data and order": ("1 digest", "1 of 1 digest differ"),
        "numpy: random streams": ("1 digest", "1 of 1 digest differ"),
    }


def test_what_was_put_back_says_what_came_of_it() -> None:
    expected, moved = record(), record(lines(weight=2.0), **THREADS)
    [experiment] = experiments(expected.host, moved.host)
    back = ExperimentResult(experiment, compare(record(), record()))
    assert rows(expected, moved, back)["OMP_NUM_THREADS"].evidence == (
        "restored alone: all results restored"
    )
    vain = ExperimentResult(experiment, compare(record(), record(lines(weight=2.0))))
    assert (
        rows(expected, moved, vain)["OMP_NUM_THREADS"].evidence == "restored alone: still drifted"
    )
    together = ExperimentResult(Experiment("all of these", experiment.environment), back.verdict)
    assert rows(expected, moved, together)["OMP_NUM_THREADS"].evidence == ""
    assert rows(expected, moved, back)["CPU"].evidence == ""
