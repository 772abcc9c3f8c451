"""Dependency closure of a few packages. Pure and deterministic.

This is no solver: the first alternative that the archive has is chosen. That is enough for a
minimal system, which Debian keeps installable this way; everything else is resolved by apt.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from freezer.errors import ResolveError
from freezer.model.reason import needed_by
from freezer.resolve.debian.packages import provides

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.resolve.debian.packages import Candidate, PackageTable, Relation

_MERGED_ALREADY = "usr-is-merged"
"""Preferred to its alternative ``usrmerge``, which converts a root that is not merged yet."""


def close(
    seeds: Mapping[str, tuple[Candidate, str]], table: PackageTable
) -> dict[str, tuple[Candidate, str]]:
    """Return the seeds and their dependencies, by name, each with its reason.

    Raises ``ResolveError`` for a dependency that no package in the table satisfies.
    """
    chosen = dict(sorted(seeds.items()))
    queue = deque(chosen)
    while queue:
        owner = chosen[queue.popleft()][0]
        for clause in owner.relations("pre-depends", "depends"):
            if any(provides(one, relation) for relation in clause for one, _ in chosen.values()):
                continue
            one = _first(clause, table)
            if one is None:
                raise _unsatisfied(owner, clause, table)
            if one.name in chosen:
                raise _two_versions(owner, clause, chosen[one.name][0])
            chosen[one.name] = (one, needed_by([owner.name]))
            queue.append(one.name)
    return chosen


def require_no_conflict(chosen: Sequence[Candidate]) -> None:
    """Raise ``ResolveError`` when one of the packages conflicts with, or breaks, another."""
    for owner in chosen:
        for clause in owner.relations("conflicts", "breaks"):
            for other in chosen:
                if other.name != owner.name and provides(other, clause[0]):
                    raise ResolveError(
                        f"{owner.name} {owner.version} and {other.name} {other.version} exclude "
                        "each other",
                        found=f"{owner.name} conflicts with {clause[0]}",
                        hint="the archive may be in the middle of an update: try again later",
                    )


def _first(clause: Sequence[Relation], table: PackageTable) -> Candidate | None:
    ordered = sorted(clause, key=lambda relation: relation.name != _MERGED_ALREADY)
    return next((one for relation in ordered for one in _offers(relation, table)), None)


def _offers(relation: Relation, table: PackageTable) -> Iterable[Candidate]:
    yield from (one for one in table.candidates(relation.name) if relation.admits(one.version))
    yield from (one for one in table.providers(relation.name) if provides(one, relation))


def _unsatisfied(owner: Candidate, clause: Sequence[Relation], table: PackageTable) -> ResolveError:
    offered = [
        f"{one.name} {one.version}"
        for relation in clause
        for one in table.candidates(relation.name)
    ]
    return ResolveError(
        f"{owner.name} {owner.version} depends on a package that the archive does not have",
        found=", ".join(offered) or "no package of that name",
        expected=" | ".join(str(relation) for relation in clause),
        hint="the mirror may be incomplete or in the middle of an update: try again later, or use "
        "another",
    )


def _two_versions(owner: Candidate, clause: Sequence[Relation], other: Candidate) -> ResolveError:
    return ResolveError(
        f"{owner.name} {owner.version} needs another version of {other.name} than the newest",
        found=f"{other.name} {other.version}",
        expected=" | ".join(str(relation) for relation in clause),
        hint="the suites of the mirror may be of different dates: try again later, or use another",
    )
