"""Following dependencies from some packages to all that they need. Pure and deterministic.

No solver: the first alternative that the archive has is taken. That is enough for the few packages
of a minimal system, which Debian keeps installable in just this way; apt decides about all else.
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
"""Stands beside ``usrmerge``, which would convert a root that is laid out merged from the start."""


def close(
    seeds: Mapping[str, tuple[Candidate, str]], table: PackageTable
) -> dict[str, tuple[Candidate, str]]:
    """Return the seeds and all that they need, by name, each with its reason.

    Raises ``ResolveError`` naming a dependency that nothing in the table fulfils.
    """
    chosen = dict(sorted(seeds.items()))
    queue = deque(chosen)
    while queue:
        owner = chosen[queue.popleft()][0]
        for clause in owner.relations("pre-depends", "depends"):
            if any(provides(one, wanted) for wanted in clause for one, _ in chosen.values()):
                continue
            one = _first(clause, table)
            if one is None:
                raise _unfulfilled(owner, clause, table)
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
                        hint="the archive may be in the midst of an update: try again later",
                    )


def _first(clause: Sequence[Relation], table: PackageTable) -> Candidate | None:
    ordered = sorted(clause, key=lambda wanted: wanted.name != _MERGED_ALREADY)
    return next((one for wanted in ordered for one in _offers(wanted, table)), None)


def _offers(wanted: Relation, table: PackageTable) -> Iterable[Candidate]:
    yield from (one for one in table.candidates(wanted.name) if wanted.admits(one.version))
    yield from (one for one in table.providers(wanted.name) if provides(one, wanted))


def _unfulfilled(owner: Candidate, clause: Sequence[Relation], table: PackageTable) -> ResolveError:
    offered = [
        f"{one.name} {one.version}" for wanted in clause for one in table.candidates(wanted.name)
    ]
    return ResolveError(
        f"{owner.name} {owner.version} needs what the archive does not have",
        found=", ".join(offered) or "no package of that name",
        expected=" | ".join(str(wanted) for wanted in clause),
        hint="the mirror may be incomplete or in the midst of an update: try again later, or use "
        "another",
    )


def _two_versions(owner: Candidate, clause: Sequence[Relation], other: Candidate) -> ResolveError:
    return ResolveError(
        f"{owner.name} {owner.version} needs another version of {other.name} than the newest",
        found=f"{other.name} {other.version}",
        expected=" | ".join(str(wanted) for wanted in clause),
        hint="the suites of the mirror may be of different dates: try again later, or use another",
    )
