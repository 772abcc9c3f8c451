"""Which packages could have stayed: an answer with as few moves as no one move less would do.

A resolver that prefers earlier versions still gives some up before it must: it decides one package
after the other, and does not come back as long as what it has fits. Here each package that moved is
put back, as long as there is an answer. Nothing here knows an index; the resolver is a function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from freezer.errors import ResolveError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

Answer = TypeVar("Answer")
Found = TypeVar("Found", covariant=True)  # noqa: PLC0105 - the name of the protocol's answer


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


@dataclass(frozen=True)
class Release:
    """What an update moves in one ecosystem; everything else there stays, as far as it can."""

    names: frozenset[str] = frozenset()
    pins: Mapping[str, str] = field(default_factory=dict)
    """Versions that some of the names are to have."""


class Solve(Protocol[Found]):
    """Asks a resolver that prefers as it is what an update does not name."""

    def __call__(
        self,
        *,
        held: frozenset[str],
        pins: Mapping[str, str],
        floors: Mapping[str, str],
        above: tuple[str, str] | None = None,
    ) -> Found:
        """Return an answer in which ``held`` stay, and ``pins`` have these versions.

        ``floors`` have at least these versions, if they are there. ``above`` is a package and the
        version that it has to exceed. Raises ``ResolveError``.
        """


@dataclass(frozen=True)
class Settled(Generic[Answer]):
    """The answer to an update in one ecosystem."""

    answer: Answer
    refusals: Mapping[str, str]
    """For what moved without being named: what the resolver said when it was to stay."""
    alone: Mapping[str, str]
    """Where the named ones go if nothing else moves; empty where that is no answer."""


def settle(
    release: Release,
    old: Mapping[str, str],
    needs: Mapping[str, Collection[str]],
    solve: Solve[Answer],
    versions: Callable[[Answer], Mapping[str, str]],
) -> Settled[Answer]:
    """Return what to install when some packages move, and nothing that need not.

    The named ones go as far as they can, one after the other by name; there they stay, and all else
    is put back to ``old`` (name to version) as far as it goes. What is not there any more has not
    moved. What needs a named one, as ``needs`` (name to names) tells, does not become older for its
    sake, unless that is the only way to a version that was asked for: releases from before a limit
    was known have none. Raises ``ResolveError`` where nothing answers.
    """
    names = frozenset(old) - release.names
    floors: Mapping[str, str]
    floors = {name: old[name] for name in sorted(_above(release.names, needs) & names)}

    def stays(answer: Answer) -> frozenset[str]:
        now = versions(answer)
        return frozenset(name for name in names if now.get(name, old[name]) == old[name])

    def named(answer: Answer) -> dict[str, str]:
        now = versions(answer)
        return {name: now[name] for name in sorted(release.names) if name in now}

    try:
        first = solve(held=names, pins=release.pins, floors={})
        alone = named(first)
    except ResolveError:
        first, floors = _any(release.pins, floors, solve)
        alone = {}
    first = _climbed(first, release, floors, solve, versions)
    goals, known = named(first), stays(first)
    refusals: dict[str, str] = {}

    def attempt(held: frozenset[str]) -> Answer | None:
        nonlocal known
        try:
            answer = solve(held=held, pins=goals, floors=floors)
        except ResolveError as error:
            refusals.update(dict.fromkeys(held - known, _said(error)))
            return None
        if not held <= stays(answer) or named(answer) != goals:
            return None
        known |= stays(answer)
        return answer

    best = least_moved(first, sorted(names), solve=attempt, stays=stays)
    moved = names - stays(best)
    return Settled(best, {name: said for name, said in refusals.items() if name in moved}, alone)


def _above(names: frozenset[str], needs: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Return what needs any of some packages, itself or by what it needs."""
    found = names
    while more := {one for one, needed in needs.items() if one not in found and found & {*needed}}:
        found |= more
    return found - names


def _any(
    pins: Mapping[str, str], floors: Mapping[str, str], solve: Solve[Answer]
) -> tuple[Answer, Mapping[str, str]]:
    """Return an answer, and the floors that it keeps: all, or none where that is no answer."""
    try:
        return solve(held=frozenset(), pins=pins, floors=floors), floors
    except ResolveError:
        return solve(held=frozenset(), pins=pins, floors={}), {}


def _climbed(
    best: Answer,
    release: Release,
    floors: Mapping[str, str],
    solve: Solve[Answer],
    versions: Callable[[Answer], Mapping[str, str]],
) -> Answer:
    """Return an answer in which each named package is as far as it can go.

    What a resolver prefers may hold a package down, and so may the order in which it decides. So it
    is asked for a higher version until there is none.
    """
    pins = dict(release.pins)
    for name in sorted(release.names - pins.keys()):
        reached = versions(best).get(name)
        while reached is not None:
            try:
                higher = solve(held=frozenset(), pins=pins, floors=floors, above=(name, reached))
            except ResolveError:
                higher = best
            further = versions(higher).get(name, reached)
            if further == reached:
                pins[name] = reached
                break
            best, reached = higher, further
    return best


def _said(error: ResolveError) -> str:
    return "; ".join(error.details) or error.what
