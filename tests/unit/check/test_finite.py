"""Trainings of which every number is NaN or infinite show nothing, and are no reference."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.check.compare.compare import compare
from freezer.check.compare.finite import nothing_finite, require_finite
from freezer.check.reference import references, write_reference
from freezer.errors import CheckError
from freezer.inside.freezer_inside.record import Recorder
from freezer.model.record.record import Record
from freezer.model.record.verdict import Word
from tests.support.project.records import Floats, record

NAN, INF = math.nan, math.inf


def made(
    *losses: float, metrics: tuple[float, ...] = (), weights: tuple[float, ...] = ()
) -> Record:
    stream = io.StringIO()
    recorder = Recorder("own", stream)
    for step, value in enumerate(losses):
        recorder.loss(step, value)
    for step, value in enumerate(metrics):
        recorder.metric("accuracy", value, step)
    if weights:
        recorder.tensor("w", Floats(*weights))
    recorder.end()
    return record([line for line in stream.getvalue().encode().splitlines() if line])


NOTHING = [
    pytest.param(made(NAN), id="its only loss"),
    pytest.param(made(NAN, NAN, NAN), id="every loss NaN"),
    pytest.param(made(INF, -INF, NAN), id="infinite"),
    pytest.param(made(NAN, metrics=(0.5,)), id="losses decide before metrics"),
    pytest.param(made(NAN, weights=(1.0,)), id="losses decide before weights"),
    pytest.param(made(metrics=(NAN, NAN)), id="metrics where there is no loss"),
    pytest.param(made(weights=(NAN, INF)), id="weights where there is neither"),
]
SOMETHING = [
    pytest.param(made(0.5), id="a loss"),
    pytest.param(made(INF, 0.5), id="a first step that overflows"),
    pytest.param(made(0.5, NAN), id="a loss that is lost later"),
    pytest.param(made(0.5, metrics=(NAN,)), id="a metric that is not defined"),
    pytest.param(made(metrics=(NAN, 0.5)), id="a metric"),
    pytest.param(made(weights=(NAN, 0.0)), id="a weight"),
]


@pytest.mark.parametrize("found", NOTHING)
def test_what_shows_nothing_has_failed_and_becomes_no_reference(
    found: Record, tmp_path: Path
) -> None:
    verdict = require_finite(compare(found, found), found)
    assert (verdict.word, verdict.good) == (Word.FAILED, False)
    assert "NaN or infinite" in (verdict.trainings[0].reason or "")
    with pytest.raises(CheckError, match="cannot become a reference") as raised:
        write_reference(tmp_path, found)
    assert "NaN or infinite" in str(raised.value.found)
    assert not references(tmp_path)


@pytest.mark.parametrize("found", SOMETHING)
def test_one_finite_result_is_a_result(found: Record, tmp_path: Path) -> None:
    assert require_finite(compare(found, found), found).word is Word.IDENTICAL
    assert write_reference(tmp_path, found).is_file()


def test_a_change_to_nan_is_still_a_drift() -> None:
    verdict = require_finite(compare(made(0.5), made(NAN)), made(NAN))
    assert verdict.word is Word.DRIFTED


@given(st.lists(st.floats(), min_size=1, max_size=6))
def test_losses_count_when_one_of_them_is_finite(losses: list[float]) -> None:
    reason = nothing_finite(made(*losses).trainings[0])
    assert (reason is None) is any(map(math.isfinite, losses))
