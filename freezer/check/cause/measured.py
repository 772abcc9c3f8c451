"""Measured effects that fit a training of one's own which does not repeat. Pure but for data.

What fits is an operation whose names stand in the training's source: ``group_by``, ``agg`` and
``collect`` for ``LazyFrame.group_by(...).agg(sum).collect()``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from freezer.check.measured import LockedRow, covered, locked_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.lock import Lock

MOST: Final = 3
_NAME: Final = re.compile(r"[A-Za-z_]\w{2,}")
_CLASS: Final = re.compile(r"\b[A-Z]\w*\.(?=[a-z_])")
"""The class of a method, which a program that calls the method need not name."""
_WORDS: Final = frozenset(
    {
        *("after", "all", "and", "before", "data", "float", "for", "from", "groups", "inside"),
        *("integers", "nodes", "numbers", "order", "seed", "strings", "the", "then", "ties"),
        *("under", "values", "with", "without"),
    }
)
"""Words of titles that name nothing in a program."""
_ENOUGH: Final = 0.6
"""Part of an operation's names that a source has to have."""


def fitting_causes(lock: Lock, sources: Sequence[str]) -> tuple[str, ...]:
    """Return sentences on measured effects that a training may have met, the likeliest first.

    ``sources`` are the texts of the training's own files; without them nothing fits.
    """
    words = {word for text in sources for word in _NAME.findall(text)}
    best: dict[str, tuple[float, LockedRow]] = {}
    for found in _possible(lock):
        score = _score(found.row.operation, words)
        key = f"{found.package} {found.row.operation}"
        if score >= _ENOUGH and (key not in best or _restless(found, best[key][1])):
            best[key] = score, found
    ranked = sorted(best.values(), key=lambda item: (-item[0], item[1].package))
    return tuple(_sentence(found) for _, found in ranked[:MOST])


def _possible(lock: Lock) -> Iterator[LockedRow]:
    """Yield what makes two runs of one image differ: effects that vary and are not covered."""
    for found in locked_rows(lock):
        row = found.row
        possible = row.factor != "threads" or lock.smoke.cpus > 1
        if row.effect == "varies" and possible and not covered(row, lock.environment):
            yield found


def _restless(one: LockedRow, other: LockedRow) -> bool:
    order = ("process", "call", "threads", "blas threads", "hash seed")
    return order.index(one.row.factor) < order.index(other.row.factor)


def _score(operation: str, words: set[str]) -> float:
    names = set(_NAME.findall(_CLASS.sub("", operation))) - _WORDS
    return len(names & words) / len(names) if names else 0.0


def _sentence(found: LockedRow) -> str:
    row = found.row
    remedy = (
        f"; what stops it: {row.setting}" if row.setting else "; no setting is known to stop it"
    )
    return f"measured of {found.package} {found.version}, {row.operation}: {row.finding}{remedy}"
