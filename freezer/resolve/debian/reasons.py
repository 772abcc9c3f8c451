"""Reasons of Debian packages: requested by the spec, or needed by which package. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from freezer.model.reason import needed_by, requested_in
from freezer.resolve.debian.packages import provides

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.resolve.debian.packages import Candidate

REQUESTED = requested_in(["the spec"])


def explain(
    chosen: Mapping[str, Candidate],
    requested: Mapping[str, str],
    replaced: Mapping[str, str | None],
) -> dict[str, str]:
    """Return the reason of every chosen package, by name.

    ``requested`` maps the requested names to their reasons; the others are found by breadth-first
    search from these. ``replaced`` maps names to the versions that are installed in the base.
    """
    reasons = {name: reason for name, reason in requested.items() if name in chosen}
    queue = deque(sorted(reasons))
    while queue:
        owner = queue.popleft()
        for name in _needs(chosen[owner], chosen):
            if name not in reasons:
                reasons[name] = needed_by([owner])
                queue.append(name)
    for name in chosen:
        reasons.setdefault(name, "chosen by apt to fit the others")
        if version := replaced.get(name):
            reasons[name] += f"; the base holds {version}"
    return reasons


def _needs(owner: Candidate, chosen: Mapping[str, Candidate]) -> Iterable[str]:
    for clause in owner.relations("pre-depends", "depends"):
        for relation in clause:
            if relation.name in chosen:
                yield relation.name
            else:
                yield from (name for name, one in chosen.items() if provides(one, relation))
