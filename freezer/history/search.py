"""Bisection: finds the step that made a difference, and the changes within it.

Independent of what is tried. A trial is good, bad (it has the difference), or skipped: it could not
be made and shows nothing.
"""

from __future__ import annotations

from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Change = TypeVar("Change")


class State(Enum):
    """The outcome of a trial."""

    GOOD = "good"
    BAD = "bad"
    SKIPPED = "skipped"


def bad_step(count: int, test: Callable[[int], State]) -> tuple[int, int]:
    """Return the last good and the first bad of ``count`` steps, as far as they can be tried.

    The first step is known to be good and the last to be bad. Steps between the returned two could
    not be tried: the change is in one of them. Each step is tried once, about ``log2 count`` of
    them if none is skipped.
    """
    good, bad = 0, count - 1
    skipped: set[int] = set()
    while candidates := [step for step in range(good + 1, bad) if step not in skipped]:
        middle = (good + bad) // 2
        step = min(candidates, key=lambda one: (abs(one - middle), one))
        match test(step):
            case State.GOOD:
                good = step
            case State.BAD:
                bad = step
            case State.SKIPPED:
                skipped.add(step)
    return good, bad


def smallest(
    changes: Sequence[Change], test: Callable[[tuple[Change, ...]], State]
) -> tuple[Change, ...]:
    """Return a minimal set of changes that has the difference.

    All changes together have it, the empty set does not (ddmin, Zeller and Hildebrandt 2002). A
    skipped smaller set might have had it. One change among n takes about ``2 log2 n`` trials; each
    set is tried once.
    """
    known: dict[tuple[Change, ...], State] = {tuple(changes): State.BAD}

    def shows(some: tuple[Change, ...]) -> bool:
        if some not in known:
            known[some] = test(some)
        return known[some] is State.BAD

    found, parts = tuple(changes), 2
    while len(found) > 1:
        chunks = _split(found, parts)
        rests = [tuple(one for one in found if one not in chunk) for chunk in chunks]
        if chunk := next((one for one in chunks if shows(one)), None):
            found, parts = chunk, 2
        elif rest := next((one for one in rests if parts > 2 and shows(one)), None):
            found, parts = rest, max(parts - 1, 2)
        elif parts >= len(found):
            break
        else:
            parts = min(len(found), 2 * parts)
    return found


def _split(some: tuple[Change, ...], parts: int) -> list[tuple[Change, ...]]:
    ends = [len(some) * number // parts for number in range(parts + 1)]
    return [some[start:end] for start, end in pairwise(ends)]
