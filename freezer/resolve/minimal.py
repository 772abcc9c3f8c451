"""Which packages could have stayed: an answer with as few moves as no one move less would do.

A resolver that prefers earlier versions still gives some up before it must: it decides one package
after the other, and does not come back as long as what it has fits. Here each package that moved is
put back, as long as there is an answer. Nothing here knows an index; the resolver is a function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Answer = TypeVar("Answer")


@dataclass
class _Search(Generic[Answer]):
    best: Answer
    held: frozenset[str]
    solve: Callable[[frozenset[str]], Answer | None]
    stays: Callable[[Answer], frozenset[str]]

    def put_back(self, names: Sequence[str], *, fits: bool | None = None) -> bool:
        """Hold as many of some packages as go; say whether all do. ``fits`` False: they do not."""
        names = [name for name in names if name not in self.held]
        if not names:
            return True
        if fits is None:
            answer = self.solve(self.held | frozenset(names))
            if answer is not None:
                self.best = answer
                self.held |= self.stays(answer)
                return True
        if len(names) == 1:
            return False
        middle = len(names) // 2
        first = self.put_back(names[:middle])
        # All of them do not fit: if the first half does, the second cannot as well.
        self.put_back(names[middle:], fits=False if first else None)
        return False


def least_moved(
    first: Answer,
    names: Sequence[str],
    *,
    solve: Callable[[frozenset[str]], Answer | None],
    stays: Callable[[Answer], frozenset[str]],
) -> Answer:
    """Return an answer in which no single package that moved could have stayed beside the rest.

    ``first`` is any answer and ``names`` are the packages that are to stay if they can.
    ``solve(held)`` returns an answer in which those stay, or None where there is none: when it says
    None for a set, it must for every larger one. ``stays(answer)`` tells which of ``names`` did not
    move. All that moved are put back at once, then halves of them, then single ones: one call where
    nothing needs to move, and for k forced moves among n about ``2 k log2 n``.
    """
    search = _Search(first, stays(first), solve, stays)
    search.put_back(sorted(set(names) - search.held))
    return search.best
