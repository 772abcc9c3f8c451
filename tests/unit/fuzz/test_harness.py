"""The harness itself: what it finds, what it says of it, and that it is the same each time."""

from __future__ import annotations

import pytest

from freezer.errors import SpecError
from tests.support.fuzz import Target, hold

TARGETS: list[Target] = []
"""None of its own for the longer run."""
SEED = b"one: 1\ntwo: 22\nthree: 333\n"


def picky(data: bytes) -> None:
    """A parser that refuses most, and falls over inputs that lack a line."""
    if data.count(b"\n") < 3:
        raise IndexError("a line is missing")
    if data != SEED:
        raise SpecError("other bytes")


def test_an_error_that_is_none_for_people_is_found_with_its_input() -> None:
    with pytest.raises(IndexError, match="missing") as caught:
        hold(Target("picky", picky, [SEED], "text"), 200)
    (note,) = caught.value.__notes__
    assert note.startswith("picky, after the edits [(")
    assert note.count("(") == 1  # one edit is enough to lose a line


def test_a_seed_that_is_not_read_is_found() -> None:
    with pytest.raises(IndexError):
        hold(Target("picky", picky, [b"short\n"]), 0)


def test_errors_for_people_are_none() -> None:
    def refuse(_: bytes) -> None:
        raise SpecError("no")

    hold(Target("refuse", refuse, [SEED]))


@pytest.mark.parametrize("form", ["bytes", "text", "json"])
def test_inputs_are_many_and_the_same_each_time(form: str) -> None:
    seen: list[list[bytes]] = []
    for _ in range(2):
        seen.append([])
        hold(Target("all", seen[-1].append, [b'{"a": [1, 2, 3]}\n'], form), 100)  # type: ignore[arg-type]
    assert seen[0] == seen[1]
    assert len(seen[0]) == 101
    assert len(set(seen[0])) > 80
