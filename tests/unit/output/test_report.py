"""The page of a check: whole, alone, and safe whatever a training or a host is called."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from freezer.check.assess import Assessment
from freezer.check.compare.compare import compare
from freezer.check.compare.metrics import metrics
from freezer.flows.check.result import CheckResult
from freezer.flows.project.environment import Locked
from freezer.model.record.record import Record
from freezer.model.record.verdict import Basis
from freezer.output.check.chart import loss_chart
from freezer.output.check.report import report
from tests.support.project.locks import make_lock
from tests.support.project.records import lines, record

EVIL = "<script>alert(1)</script>|`x`"


def result(expected: Record, found: Record) -> CheckResult:
    return CheckResult(
        locked=Locked(make_lock(), "1" * 64, Path("lockfiles/x")),
        image=found.image,
        assessment=Assessment(
            record=found,
            expected=expected,
            verdict=compare(expected, found),
            basis=Basis.REFERENCE,
            repeats=True,
        ),
        reference="lockfiles/x/ref.json",
    )


class Tags(HTMLParser):
    """Counts what is open, and keeps what would be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.scripts = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("weight", [1.0, 1.5])
def test_the_page_is_whole_and_asks_for_nothing(weight: float) -> None:
    page = Tags(report(result(record(), record(lines(weight=weight))), "html"))
    assert page.open == []
    assert page.fetched == []
    assert page.scripts == 0


def test_a_drift_is_on_the_page_with_place_and_measure() -> None:
    text = report(result(record(), record(lines(loss=0.6, weight=1.5))), "html")
    assert "drifted" in text
    assert "Differs first in loss at step 2" in text
    assert "differs from step 2" in text
    assert re.search(r"1 of 2</td>.*0 of 1</td>", text, re.DOTALL)
    plain = report(result(record(), record(lines(loss=0.6))), "md")
    assert "| numpy | drifted | 1 of 2 | 1 of 1 |" in plain
    assert "**numpy** differs first in loss at step 2" in plain


@pytest.mark.parametrize("form", ["html", "md"])
def test_names_are_text_whatever_they_are(form: str) -> None:
    told = lines(EVIL, weight=2.0)
    text = report(result(record(lines(EVIL)), record(told, cpu=EVIL)), form)
    assert "<script>" not in text
    if form == "md":
        assert "\\|\\`x\\`" in text
    else:
        assert "alert(1)&lt;/script&gt;|<code>x</code>" in text, (
            "in a sentence, code is shown as such"
        )


def test_metrics_count_what_is_the_same() -> None:
    (same,) = metrics(record(), record())
    assert (same.steps, same.identical_steps) == (2, 2)
    assert (same.tensors, same.identical_tensors, same.worst_ulps) == (1, 1, 0)
    (other,) = metrics(record(), record(lines(loss=0.6, weight=1.5)))
    assert (other.identical_steps, other.identical_tensors) == (1, 0)
    assert other.curves[0].apart == (2,)
    assert other.growth[-1][1] == other.worst_relative
    assert other.worst_relative is not None
    assert other.worst_relative > 0.1


def test_a_loss_that_is_no_number_is_drawn_around() -> None:
    (found,) = metrics(record(lines(loss=float("nan"))), record(lines(loss=float("nan"))))
    assert found.curves[0].apart == ()
    assert "nan" not in loss_chart(found.curves[0])


def test_a_curve_of_one_step_and_one_value_can_be_drawn() -> None:
    (found,) = metrics(record(lines(loss=0.75)), record(lines(loss=0.75)))
    drawing = loss_chart(found.curves[0])
    assert drawing.startswith("<svg")
    assert "polyline" in drawing


def test_a_loss_that_is_told_once_stands_in_a_table() -> None:
    once = [line for line in lines() if b'"step": 1' not in line]
    text = report(result(record(once), record(once)), "html")
    assert "<svg" not in text
    assert '<td class="n">0.5</td>' in text
