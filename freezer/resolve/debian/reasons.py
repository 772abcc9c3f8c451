"""Why each Debian package is there: who asked for it, or which package needs it. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from freezer.model.reason import needed_by, requested_in
from freezer.resolve.debian.packages import provides

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.resolve.debian.packages import Candidate

ASKED = requested_in(["the spec"])


def explain(
    chosen: Mapping[str, Candidate],
    asked: Mapping[str, str],
    replaced: Mapping[str, str | None],
) -> dict[str, str]:
    """Return the reason of every chosen package, by name.

    ``asked`` holds the reasons of those asked for by name; the others are reached from these along
    the shortest way. ``replaced`` holds the version that the base has of a package.
    """
    reasons = {name: reason for name, reason in asked.items() if name in chosen}
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
        for wanted in clause:
            if wanted.name in chosen:
                yield wanted.name
            else:
                yield from (name for name, one in chosen.items() if provides(one, wanted))
