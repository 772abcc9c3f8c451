"""Reasons of locked packages: what is written can be read back, whatever the spec's why says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from freezer.model.reason import dependents, needed_by, requested_in, split_reason, with_why

NAMES = st.lists(st.from_regex(r"[a-z0-9]([a-z0-9.+-]*[a-z0-9])?", fullmatch=True), min_size=1)
TEXTS = st.text(min_size=1).map(str.strip).filter(bool)


@given(NAMES, st.none() | TEXTS)
def test_dependents_are_read_back(names: list[str], why: str | None) -> None:
    reason = with_why(needed_by(names), why)
    assert dependents(reason) == tuple(sorted(names))
    assert split_reason(reason) == (needed_by(names), why)


@given(TEXTS, TEXTS)
def test_another_why_replaces_the_first(first: str, second: str) -> None:
    reason = requested_in(["freeze.yaml:3"])
    assert with_why(with_why(reason, first), second) == with_why(reason, second)
    assert with_why(with_why(reason, first), None) == reason


def test_the_wording_is_that_of_the_locks_that_exist() -> None:
    assert requested_in(["a.txt:1", "b.txt:2", "a.txt:1"]) == "asked for in a.txt:1, b.txt:2"
    assert needed_by({"scipy", "pandas"}) == "needed by pandas, scipy"
    assert with_why("needed by a", "fast") == "needed by a; why: fast"


def test_what_is_requested_has_no_dependents() -> None:
    assert dependents("asked for in the spec; why: needed by us") == ()
    assert dependents("needed by a; the base holds 1.2") == ("a",)
