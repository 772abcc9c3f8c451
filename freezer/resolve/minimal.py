"""Minimal updates: a solution in which no package changes unless it must.

A resolver that prefers earlier versions still gives some up before it must: it decides one package
after another, and does not backtrack while it has a solution. So each changed package is put back
to its earlier version as long as there is a solution. The resolver is passed in as a function;
nothing here depends on an index or an ecosystem.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from freezer.errors import ResolveError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

Answer = TypeVar("Answer")
Found = TypeVar("Found", covariant=True)  # noqa: PLC0105 - the protocol's result type


class UnexplainedError(ResolveError):
    """A request has no solution; the reason is worked out only if somebody wants it.

    A search for the smallest change meets many of these, and reports few.
    """

    def __init__(self, explain: Callable[[], ResolveError]) -> None:
        super().__init__("these requirements conflict")
        self._explain = explain
        self._explained: ResolveError | None = None

    def explained(self) -> ResolveError:
        """Return the error with its reason."""
        if self._explained is None:
            self._explained = self._explain()
        return self._explained


def explained(error: ResolveError) -> ResolveError:
    """Return an error with its reason."""
    return error.explained() if isinstance(error, UnexplainedError) else error


@dataclass
class _Search(Generic[Answer]):
    """The best solution so far, and the packages that it keeps at their earlier versions."""

    best: Answer
    held: frozenset[str]
    solve: Callable[[frozenset[str]], Answer | None]
    unchanged: Callable[[Answer], frozenset[str]]

    def put_back(self, names: Sequence[str], *, fits: bool | None = None) -> bool:
        """Keep as many of some packages as possible; return whether all can be kept together.

        ``fits`` False: it is known already that they cannot.
        """
        names = [name for name in names if name not in self.held]
        if not names:
            return True
        if fits is None:
            answer = self.solve(self.held | frozenset(names))
            if answer is not None:
                self.best = answer
                self.held |= self.unchanged(answer)
                return True
        if len(names) == 1:
            return False
        middle = len(names) // 2
        first = self.put_back(names[:middle])
        # Not all of them can be kept. If all of the first half can, the second half cannot: the
        # resolver is not called for it, and it is split at once.
        self.put_back(names[middle:], fits=False if first else None)
        return False


def least_moved(
    first: Answer,
    names: Sequence[str],
    *,
    solve: Callable[[frozenset[str]], Answer | None],
    unchanged: Callable[[Answer], frozenset[str]],
) -> Answer:
    """Return a solution in which no single changed package could have been kept.

    ``first`` is any solution; ``names`` are the packages to keep if possible. ``solve(held)``
    returns a solution that keeps those, or None; when it returns None for a set, it must for every
    larger one. ``unmoved(answer)`` returns those of ``names`` that did not change.

    All changed packages are put back at once, then halves of them, then single ones, as in a
    bisection: one call when no change is needed, and about ``2 k log2 n`` for k forced changes
    among n.
    """
    search = _Search(first, unchanged(first), solve, unchanged)
    search.put_back(sorted(set(names) - search.held))
    return search.best


@dataclass(frozen=True)
class Release:
    """What an update changes in one ecosystem; everything else is kept as far as possible."""

    names: frozenset[str] = frozenset()
    pins: Mapping[str, str] = field(default_factory=dict)
    """Requested versions of some of the names."""


class Solve(Protocol[Found]):
    """Runs a resolver that prefers the earlier versions of packages not named by an update."""

    def __call__(
        self,
        *,
        held: frozenset[str],
        pins: Mapping[str, str],
        floors: Mapping[str, str],
        above: tuple[str, str] | None = None,
    ) -> Found:
        """Return a solution that keeps ``held`` and in which ``pins`` have these versions.

        ``floors`` are minimum versions, for packages in the solution. ``above`` is a package and
        the version that it must exceed. Raises ``ResolveError``.
        """


@dataclass(frozen=True)
class MinimalUpdate(Generic[Answer]):
    """The result of an update in one ecosystem."""

    answer: Answer
    errors: Mapping[str, ResolveError]
    """For packages that changed without being named: the resolver's error when they were kept."""
    alone: Mapping[str, str]
    """Versions of the named packages when nothing else may change; empty without a solution."""

    @property
    def refusals(self) -> dict[str, str]:
        """The messages of the errors."""
        return {name: _message(explained(error)) for name, error in self.errors.items()}


def minimal_update(
    release: Release,
    old: Mapping[str, str],
    needs: Mapping[str, Collection[str]],
    solve: Solve[Answer],
    versions: Callable[[Answer], Mapping[str, str]],
) -> MinimalUpdate[Answer]:
    """Return the smallest change of packages for an update.

    The named packages get the highest possible versions, one after another by name; all others are
    put back to ``old`` (name to version) as far as possible. A package that is removed counts as
    unchanged. Raises ``ResolveError`` without a solution.

    Dependents of a named package (``needs``: name to names) are not downgraded for it, unless that
    is the only way to a requested version. Without that rule a resolver would go back to releases
    from before a limit was known, which declare no limit and so seem to fit.
    """
    names = frozenset(old) - release.names
    floors: Mapping[str, str]
    floors = {name: old[name] for name in sorted(_dependents(release.names, needs) & names)}

    def unchanged(answer: Answer) -> frozenset[str]:
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
    goals, known = named(first), unchanged(first)
    errors: dict[str, ResolveError] = {}

    def hold(held: frozenset[str]) -> Answer | None:
        nonlocal known
        try:
            answer = solve(held=held, pins=goals, floors=floors)
        except ResolveError as error:
            # Later refusals are of smaller sets, so the last one is the most specific.
            errors.update(dict.fromkeys(held - known, error))
            return None
        if not held <= unchanged(answer) or named(answer) != goals:
            return None
        known |= unchanged(answer)
        return answer

    best = least_moved(first, sorted(names), solve=hold, unchanged=unchanged)
    moved = names - unchanged(best)
    return MinimalUpdate(best, {n: error for n, error in errors.items() if n in moved}, alone)


def _dependents(names: frozenset[str], needs: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Return all dependents of some packages, direct and transitive."""
    found = names
    while more := {one for one, needed in needs.items() if one not in found and found & {*needed}}:
        found |= more
    return found - names


def _any_answer(
    pins: Mapping[str, str], floors: Mapping[str, str], solve: Solve[Answer]
) -> tuple[Answer, Mapping[str, str]]:
    """Return a solution and the minimum versions it keeps: all, or none if unsolvable."""
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
    """Return a solution in which each named package has its highest possible version.

    A resolver's preferences and the order of its decisions may hold a package back, so a higher
    version is requested until there is none.
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
                pins[name] = reached  # pinned, so that later packages cannot lower it again
                break
            best, reached = higher, further
    return best


def _message(error: ResolveError) -> str:
    return "; ".join(error.details) or error.what
