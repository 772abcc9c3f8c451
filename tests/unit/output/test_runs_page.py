"""The page of runs without a browser: its data, its policy, and that it repeats."""

from __future__ import annotations

import json
import math
import random
import re
from array import array
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.flows.runs.page.curves import FEWEST, curve, share
from freezer.ledger.series import Points
from freezer.model.record.run import Digest, Run, Time, Value
from freezer.output.runs.columns import LONGEST, columns, shortened, typed
from freezer.output.runs.page import page_html
from tests.support.project.pages import EVIL, page_of, varied_run

VALUES = (
    st.floats(width=64) | st.integers() | st.booleans() | st.text(max_size=9)
    | st.builds(Time, st.integers(0, 2**50)) | st.builds(Digest, st.text("0123456789abcdef", min_size=1))
)  # fmt: skip


class Parsed(HTMLParser):
    """Elements and attributes of a page, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self._script: dict[str, str | None] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._script = dict(attrs) if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts.append((self._script, data))
            self._script = None


def run(number: int, **fields: Value) -> Run:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return Run(f"{number:016x}", "demo", "finished", Time(number), fields=named)


def decoded(column: dict[str, Any], count: int) -> dict[int, Any]:
    """Return a column's values by run, as the page reads them."""
    rows = column.get("i", range(count))
    if "f" in column:
        special = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
        pairs = zip(rows, column["f"], strict=True)
        return {row: special.get(one, one) for row, one in pairs if one is not None}
    places = column.get("x", list(range(len(column["d"]))))
    places = [places] * len(rows) if isinstance(places, int) else places
    pairs = zip(rows, places, strict=True)
    return {row: column["d"][place] for row, place in pairs if place >= 0}


@given(
    st.lists(st.dictionaries(st.sampled_from(["a", "b", "c d"]), VALUES, max_size=3), max_size=9)
)
def test_columns_hold_what_the_runs_do(found: list[dict[str, Value]]) -> None:
    runs = [run(number).with_fields(fields) for number, fields in enumerate(found)]
    document = json.loads(json.dumps(columns(runs), allow_nan=False))
    for column in document:
        name = column["n"]
        wanted = {
            n: one.all_fields()[name] for n, one in enumerate(runs) if name in one.all_fields()
        }
        given_back = decoded(column, len(runs))
        assert given_back.keys() == wanted.keys()
        for row, value in wanted.items():
            if "f" in column:
                assert repr(float(given_back[row])) == repr(value)
            else:
                assert given_back[row] == typed(value)
                assert type(given_back[row]) is type(typed(value))


def test_kinds_stay_apart() -> None:
    same = [1, 1.0, True, "1", Digest("1"), Time(1), 2**60, float(2**60)]
    assert len({json.dumps(typed(one)) for one in same}) == len(same)


def test_long_texts_are_cut_and_stay_apart() -> None:
    one, other = shortened("x" * 9999 + "a"), shortened("x" * 9999 + "b")
    assert one != other
    assert len(one) < LONGEST + 100
    assert shortened("\ud800") == "\\ud800"


@given(st.lists(st.integers(1, 5000)), st.integers(0, 20_000))
def test_curves_share_the_room_that_there_is(lengths: list[int], budget: int) -> None:
    most = share(lengths, budget)
    assert most >= FEWEST
    kept = sum(min(length, most) for length in lengths)
    assert kept <= max(budget, FEWEST * len(lengths))
    if sum(lengths) <= budget:
        assert kept == sum(lengths), "nothing is left out where all has room"


@given(st.lists(st.floats(width=64), min_size=1, max_size=500), st.integers(32, 100))
def test_a_thinned_curve_keeps_ends_and_extremes(values: list[float], most: int) -> None:
    points = Points.of([(step * 3, step, value) for step, value in enumerate(values)])
    found = curve(points, most)
    assert len(found.values) == len(found.steps) <= max(most, 4)
    assert (found.steps[0], found.steps[-1]) == (0, (len(values) - 1) * 3)
    usable = [one for one in values if not math.isnan(one)]
    kept = [one for one in found.values if not math.isnan(one)]
    if usable:
        assert (min(kept), max(kept)) == (min(usable), max(usable))
    assert list(found.steps) == sorted(set(found.steps))


def test_a_digest_of_a_curve_is_of_all_of_it() -> None:
    values = array("d", (float(step) for step in range(1000)))
    one = Points(array("q", range(1000)), array("q", [0] * 1000), values)
    other = Points(one.steps, array("q", [9] * 1000), values[:])
    assert curve(one, 32).digest == curve(other, 32).digest, "the time of day is no result"
    other.values[501] = 501.00000000000006
    assert curve(one, 32).digest != curve(other, 32).digest


def some_runs(count: int = 8) -> list[Run]:
    chance = random.Random(3)
    return [varied_run(number, chance)[0] for number in range(count)]


def test_the_same_runs_give_the_same_bytes() -> None:
    assert page_html(page_of(some_runs())) == page_html(page_of(some_runs()))
    shuffled = [replace(one, fields=dict(reversed(one.fields.items()))) for one in some_runs()]
    assert page_html(page_of(shuffled)) == page_html(page_of(some_runs()))


def test_the_page_is_alone_and_its_policy_strict() -> None:
    text = page_html(page_of(some_runs()))
    parsed = Parsed(text)
    fetching = [one for one in parsed.attributes if one[1] in ("src", "href", "action", "style")]
    assert fetching == []
    assert not [one for one in parsed.attributes if one[1].startswith("on")]
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


def test_what_people_and_trainings_wrote_is_never_markup() -> None:
    evil = {f"params.{EVIL}": EVIL, f"metrics.{EVIL}": 1.5, "git.branch": EVIL}
    hostile = replace(
        run(1).with_fields(evil),
        environment=EVIL, tags={EVIL: EVIL}, notes=(EVIL,), command=(EVIL,), tail=EVIL,
    )  # fmt: skip
    parsed = Parsed(page_html(replace(page_of([hostile]), query=EVIL)))
    kinds = [attributes.get("type") for attributes, _ in parsed.scripts]
    assert kinds == ["application/json", "application/json", None]
    read = json.loads(parsed.scripts[0][1])
    assert read["notes"]["0"] == [EVIL]
    assert "<" not in parsed.scripts[0][1] + parsed.scripts[1][1]


@pytest.mark.parametrize("runs", [[], [run(1)]])
def test_a_page_of_nothing_is_a_page(runs: list[Run]) -> None:
    parsed = Parsed(page_html(page_of(runs)))
    assert json.loads(parsed.scripts[0][1])["count"] == len(runs)
