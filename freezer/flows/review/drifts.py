"""Drifts in a history: when the results of an environment changed, for how long, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from freezer.model.generation import Checked, Generation
from freezer.model.record.word import GOOD, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freezer.history.log import History

    Suspects = Callable[[str, str], Sequence[str]]
    """From the IDs of two locks to what most likely changed the results, likeliest first."""

BAD: Final = frozenset({Word.DRIFTED, Word.FAILED})
UNKNOWN: Final = "unknown"
"""A cause that nothing on record points to."""


@dataclass(frozen=True)
class Drift:
    """A lock whose check was not good on a class of hosts, until something ended that."""

    environment: str
    generation: int
    class_: str
    word: Word
    began: datetime
    ended: datetime | None
    """None: it is open."""
    how: str | None
    """What ended it."""
    causes: tuple[str, ...]
    """The likeliest first; one is always there, if only ``unknown``."""

    def open_for(self, now: datetime) -> timedelta:
        """Return how long it took, or takes by now."""
        return max((self.ended or now) - self.began, timedelta())


@dataclass(frozen=True)
class Return:
    """A rollback, and how long the way back took."""

    environment: str
    generation: int
    date: datetime
    reason: str | None
    forced: bool
    took: timedelta | None
    """From the first check that was not good to the rollback; None where there was none."""


def moment(date: str) -> datetime:
    """Return a date of a history."""
    return datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def drifts(name: str, past: History, since: datetime, suspects: Suspects) -> list[Drift]:
    """Return the drifts that began since then, oldest first.

    Checks in a row that are not good, of one lock on one class of hosts, are one drift.
    """
    entries = sorted(past.entries, key=lambda one: one.date)
    found: list[Drift] = []
    under_way: set[tuple[str, str]] = set()
    for place, entry in enumerate(entries):
        if not isinstance(entry, Checked):
            continue
        key = (entry.lock_id, entry.class_)
        if entry.word in GOOD:
            under_way = {one for one in under_way if one[1] != entry.class_}
        elif entry.word in BAD and key not in under_way:
            under_way.add(key)
            if moment(entry.date) >= since:
                found.append(_drift(name, entries, place, entry, suspects))
    return found


def _drift(
    name: str,
    entries: Sequence[Generation | Checked],
    place: int,
    entry: Checked,
    suspects: Suspects,
) -> Drift:
    ended, how = _end(entries[place + 1 :], entry)
    return Drift(
        environment=name,
        generation=entry.generation,
        class_=entry.class_,
        word=entry.word,
        began=moment(entry.date),
        ended=ended,
        how=how,
        causes=_causes(entries[:place], entry, suspects),
    )


def _end(later: Sequence[Generation | Checked], bad: Checked) -> tuple[datetime | None, str | None]:
    """Return when and how a drift ended: a good check of its class, or a rollback."""
    for one in later:
        if isinstance(one, Generation) and one.action == "rollback" and one.lock_id != bad.lock_id:
            return moment(one.date), f"rollback, generation {one.number}"
        if isinstance(one, Checked) and one.class_ == bad.class_ and one.word in GOOD:
            same = one.lock_id == bad.lock_id
            how = "a good check of the same lock" if same else f"generation {one.generation}"
            return moment(one.date), how
    return None, None


def _causes(
    earlier: Sequence[Generation | Checked], bad: Checked, suspects: Suspects
) -> tuple[str, ...]:
    """Return what most likely changed the results since the last good check of the class."""
    good = next(
        (
            one
            for one in reversed(earlier)
            if isinstance(one, Checked) and one.class_ == bad.class_ and one.word in GOOD
        ),
        None,
    )
    if good is None:
        return (f"{UNKNOWN}: no earlier check on {bad.class_} was good",)
    if good.lock_id != bad.lock_id:
        found = tuple(suspects(good.lock_id, bad.lock_id))
        return found or (f"{UNKNOWN}: nothing that computes changed in the lock",)
    if good.cpu != bad.cpu:
        return (f"host: {good.cpu} to {bad.cpu}",)
    if good.inventory != bad.inventory and good.inventory and bad.inventory:
        return ("inventory: other numeric libraries in the image",)
    return (f"{UNKNOWN}: the lock did not change",)


def returns(name: str, past: History, since: datetime) -> list[Return]:
    """Return the rollbacks since then, oldest first."""
    entries = sorted(past.entries, key=lambda one: one.date)
    found = []
    for place, one in enumerate(entries):
        if not isinstance(one, Generation) or one.action != "rollback":
            continue
        if moment(one.date) < since:
            continue
        bad = _first_bad(entries[:place])
        took = moment(one.date) - moment(bad.date) if bad is not None else None
        found.append(Return(name, one.number, moment(one.date), one.reason, one.deviation, took))
    return found


def _first_bad(earlier: Sequence[Generation | Checked]) -> Checked | None:
    """Return the first check that was not good of the generation that a rollback replaced."""
    last = next((one for one in reversed(earlier) if isinstance(one, Generation)), None)
    if last is None:
        return None
    return next(
        (
            one
            for one in earlier
            if isinstance(one, Checked) and one.lock_id == last.lock_id and one.word in BAD
            and one.date >= last.date
        ),
        None,
    )  # fmt: skip
