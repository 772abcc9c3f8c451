"""Minimal updates: an answer in which no package moves that could have stayed.

A resolver that prefers earlier versions still gives some up before it must: it decides one package
after another, and does not return to an earlier choice as long as what it has is a solution. So
each package that moved is put back to its earlier version, as long as there is a solution. Nothing
here knows an index or an ecosystem: the resolver is a function.
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
    """The best answer so far, and which packages it holds at their earlier versions."""

    best: Answer
    held: frozenset[str]
    solve: Callable[[frozenset[str]], Answer | None]
    unmoved: Callable[[Answer], frozenset[str]]

    def put_back(self, names: Sequence[str], *, fits: bool | None = None) -> bool:
        """Hold as many of some packages as possible; return whether all can be held together.

        ``fits`` False: it is known already that they cannot.
        """
        names = [name for name in names if name not in self.held]
        if not names:
            return True
        if fits is None:
            answer = self.solve(self.held | frozenset(names))
            if answer is not None:
                self.best = answer
                self.held |= self.unmoved(answer)
                return True
        if len(names) == 1:
            return False
        middle = len(names) // 2
        first = self.put_back(names[:middle])
        # Not all of them can be held. Where all of the first half can, and they are held now, the
        # second half cannot: that call to the resolver is saved, and the half is split at once.
        self.put_back(names[middle:], fits=False if first else None)
        return False


def least_moved(
    first: Answer,
    names: Sequence[str],
    *,
    solve: Callable[[frozenset[str]], Answer | None],
    unmoved: Callable[[Answer], frozenset[str]],
) -> Answer:
    """Return an answer in which no single package that moved could have stayed.

    ``first`` is any answer; ``names`` are the packages that are to stay if they can.
    ``solve(held)`` returns an answer in which those stay, or None where there is none; when it
    returns None for a set, it must for every larger one. ``unmoved(answer)`` returns which of
    ``names`` did not move.

    All that moved are put back at once, then halves of them, then single ones, as in a bisection:
    one call where nothing needs to move, and about ``2 k log2 n`` for k forced moves among n.
    """
    search = _Search(first, unmoved(first), solve, unmoved)
    search.put_back(sorted(set(names) - search.held))
    return search.best


@dataclass(frozen=True)
class Release:
    """What an update moves in one ecosystem; everything else stays as far as it can."""

    names: frozenset[str] = frozenset()
    pins: Mapping[str, str] = field(default_factory=dict)
    """Versions that some of the names are to have."""


class Solve(Protocol[Found]):
    """Runs a resolver that prefers the earlier versions of what an update does not name."""

    def __call__(
        self,
        *,
        held: frozenset[str],
        pins: Mapping[str, str],
        floors: Mapping[str, str],
        above: tuple[str, str] | None = None,
    ) -> Found:
        """Return an answer in which ``held`` stay and ``pins`` have these versions.

        ``floors`` have at least these versions, if they are in the answer. ``above`` is a package
        and the version that it must exceed. Raises ``ResolveError``.
        """


@dataclass(frozen=True)
class MinimalUpdate(Generic[Answer]):
    """The answer to an update in one ecosystem."""

    answer: Answer
    refusals: Mapping[str, str]
    """For what moved without being named: the resolver's message when it was to stay."""
    alone: Mapping[str, str]
    """The versions of the named ones if nothing else moves; empty where that is no solution."""


def minimal_update(
    release: Release,
    old: Mapping[str, str],
    needs: Mapping[str, Collection[str]],
    solve: Solve[Answer],
    versions: Callable[[Answer], Mapping[str, str]],
) -> MinimalUpdate[Answer]:
    """Return what to install when some packages move, and nothing moves that need not.

    The named packages go as far as they can, one after another by name, and are fixed there; all
    others are put back to ``old`` (name to version) as far as possible. A package that is gone from
    the answer has not moved. Raises ``ResolveError`` where there is no solution.

    Packages that need a named one (``needs``: name to names) do not become older for its sake,
    unless that is the only way to a version that was requested. Without that rule a resolver would
    go back to releases from before a limit was known, which declare no limit and so seem to fit.
    """
    names = frozenset(old) - release.names
    floors: Mapping[str, str]
    floors = {name: old[name] for name in sorted(_dependents(release.names, needs) & names)}

    def unmoved(answer: Answer) -> frozenset[str]:
        now = versions(answer)
        return frozenset(name for name in names if now.get(name, old[name]) == old[name])

    def named(answer: Answer) -> dict[str, str]:
        now = versions(answer)
        return {name: now[name] for name in sorted(release.names) if name in now}

    try:
        first = solve(held=names, pins=release.pins, floors={})
        alone = named(first)
    except ResolveError:
        first, floors = _any_answer(release.pins, floors, solve)
        alone = {}
    first = _highest(first, release, floors, solve, versions)
    goals, known = named(first), unmoved(first)
    refusals: dict[str, str] = {}

    def hold(held: frozenset[str]) -> Answer | None:
        nonlocal known
        try:
            answer = solve(held=held, pins=goals, floors=floors)
        except ResolveError as error:
            # Later refusals are of smaller sets, so the last one of a name is the most specific.
            refusals.update(dict.fromkeys(held - known, _message(error)))
            return None
        if not held <= unmoved(answer) or named(answer) != goals:
            return None
        known |= unmoved(answer)
        return answer

    best = least_moved(first, sorted(names), solve=hold, unmoved=unmoved)
    moved = names - unmoved(best)
    return MinimalUpdate(best, {n: text for n, text in refusals.items() if n in moved}, alone)


def _dependents(names: frozenset[str], needs: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Return what needs any of some packages, directly or through others."""
    found = names
    while more := {one for one, needed in needs.items() if one not in found and found & {*needed}}:
        found |= more
    return found - names


def _any_answer(
    pins: Mapping[str, str], floors: Mapping[str, str], solve: Solve[Answer]
) -> tuple[Answer, Mapping[str, str]]:
    """Return an answer and the floors that it keeps: all, or none where that is no solution."""
    try:
        return solve(held=frozenset(), pins=pins, floors=floors), floors
    except ResolveError:
        return solve(held=frozenset(), pins=pins, floors={}), {}


def _highest(
    best: Answer,
    release: Release,
    floors: Mapping[str, str],
    solve: Solve[Answer],
    versions: Callable[[Answer], Mapping[str, str]],
) -> Answer:
    """Return an answer in which each named package has the highest version that it can have.

    What a resolver prefers may hold a package down, and so may the order in which it decides. So a
    higher version is requested until there is none.
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
                pins[name] = reached  # fixed, so that the packages after it cannot lower it again
                break
            best, reached = higher, further
    return best


def _message(error: ResolveError) -> str:
    return "; ".join(error.details) or error.what
