"""What a long history takes grows with its length, and no faster: counted in calls, not seconds."""

from __future__ import annotations

import cProfile
from collections.abc import Callable
from functools import cache

import pytest

from freezer.history.changelog import changelog_bytes
from freezer.history.log import History
from freezer.history.parse import parse_lines, require_chain
from freezer.model.generation import Checked, Generation, entry_digest
from freezer.model.record.word import Word


@cache
def history(length: int) -> History:
    """A history with as many generations, each with a check."""
    entries: list[Generation | Checked] = []
    parents: tuple[str, ...] = ()
    for number in range(1, length + 1):
        lock_id = f"{number:064x}"
        common = {"date": "2026-01-01T00:00:00Z", "lock_id": lock_id}
        made = Generation(number=number, parents=parents, action="lock", summary="x", **common)
        checked = Checked(
            parents=(entry_digest(made),), generation=number, word=Word.IDENTICAL, cpu="a",
            image=f"sha256:{lock_id}", **{"class": "portable"}, **common,
        )  # fmt: skip
        entries += [made, checked]
        parents = (entry_digest(checked),)
    return History.of(entries)


def rows(past: History) -> None:
    for one in past.generations:
        past.verdicts(one)
        past.images(one.lock_id)
        past.references(one.lock_id)
        past.last_of(one.lock_id)


def read(past: History) -> None:
    require_chain(parse_lines(past.data, "history"), "history")


WORK: dict[str, Callable[[History], object]] = {
    "the facts of each generation": rows,
    "the changelog": lambda past: changelog_bytes(past, "demo"),
    "reading": read,
}


def calls(work: Callable[[History], object], length: int) -> int:
    past = History(history(length).lines)
    profile = cProfile.Profile(builtins=True)
    profile.runcall(work, past)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_four_times_the_generations_take_four_times_the_calls(
    work: Callable[[History], object],
) -> None:
    assert calls(work, 240) < 4.2 * calls(work, 60)
