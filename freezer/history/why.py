"""Dependents of a locked package: the lock as a graph, and its shortest paths. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.ecosystems import ECOSYSTEMS
from freezer.ecosystems.interface import Key, Need
from freezer.ecosystems.pip import BUILD
from freezer.model.generation import Generation, entry_digest
from freezer.model.reason import dependents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from freezer.ecosystems.interface import Lookup, Package
    from freezer.history.log import History
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Graph:
    """The packages of a lock, and the dependents of each."""

    packages: Mapping[Key, Package]
    needs: Mapping[Key, tuple[Need, ...]]
    """Dependents by package, sorted."""
    roots: frozenset[Key]
    """Packages that are no dependencies: requested, Freezer's own, or essential."""

    def named(self, names: Iterable[str]) -> tuple[Key, ...]:
        """Return the packages of any of these names, in all ecosystems."""
        wanted = set(names)
        return tuple(sorted(key for key in self.packages if key.name in wanted))


def graph(lock: Lock, known: Lookup) -> Graph:
    """Return the dependency graph of a lock, without names not locked (``__glibc``)."""
    packages = {key: one for ecosystem in ECOSYSTEMS for key, one in ecosystem.keys(lock)}
    found: dict[Key, dict[Key, list[str]]] = {}
    edges = (edge for ecosystem in ECOSYSTEMS for edge in ecosystem.edges(lock, known))
    for needed, need in edges:
        if needed in packages and need.by in packages:
            found.setdefault(needed, {}).setdefault(need.by, []).extend(need.wanted)
    needs = {
        needed: tuple(Need(by, _ranges(wanted)) for by, wanted in sorted(mine.items()))
        for needed, mine in found.items()
    }
    roots = frozenset(key for key, item in packages.items() if _is_root(key, item))
    return Graph(packages, needs, roots)


def _ranges(wanted: Sequence[str]) -> tuple[str, ...]:
    """Remove duplicates, and "any version" when there is a range."""
    ranges = tuple(dict.fromkeys(text for text in wanted if text))
    return ranges or tuple(dict.fromkeys(wanted))


def chains(found: Graph, target: Key) -> list[tuple[Key, ...]]:
    """Return the shortest path from a root to the target through each dependent.

    Shortest first. A root that is the target itself is the first path. A dependent that is only
    there because of the target is on no path.
    """
    before = _shortest(found, target)
    ways: list[tuple[Key, ...]] = [(target,)] if target in found.roots else []
    parents = [need.by for need in found.needs.get(target, ()) if need.by in before]
    ways.extend((*_walk(before, parent), target) for parent in parents)
    return sorted(ways, key=lambda way: (len(way), way))


def _shortest(found: Graph, without: Key) -> dict[Key, Key | None]:
    """Map every package reachable from a root to its predecessor, without passing `without`."""
    children: dict[Key, list[Key]] = {}
    for needed, needs in found.needs.items():
        for need in needs:
            children.setdefault(need.by, []).append(needed)
    before: dict[Key, Key | None] = dict.fromkeys(sorted(found.roots - {without}))
    queue = deque(before)
    while queue:
        at = queue.popleft()
        for child in sorted(children.get(at, ())):
            if child != without and child not in before:
                before[child] = at
                queue.append(child)
    return before


def _walk(before: Mapping[Key, Key | None], end: Key) -> tuple[Key, ...]:
    way, at = [end], before[end]
    while at is not None:
        way.append(at)
        at = before[at]
    return tuple(reversed(way))


def _is_root(key: Key, item: Package) -> bool:
    if key.ecosystem == BUILD:
        return False
    return bool(getattr(item, "requested", False)) or not dependents(getattr(item, "reason", ""))


def since(past: History, current: Generation, same: Callable[[Generation], bool]) -> Generation:
    """Return the oldest generation since which something has held, up to `current`.

    After a join, both branches are followed. ``same`` returns whether it holds for a generation; it
    is called once for each, and never for those behind one for which it does not.
    """
    by_digest, oldest = past.by_digest, current
    order = {entry_digest(one): place for place, one in enumerate(past.entries)}
    queue, seen = deque(current.parents), set(current.parents)
    first = order[entry_digest(current)]
    while queue:
        at = queue.popleft()
        entry = by_digest[at]
        if isinstance(entry, Generation):
            if not same(entry):
                continue
            if order[at] < first:
                oldest, first = entry, order[at]
        queue.extend(one for one in entry.parents if one not in seen)
        seen.update(entry.parents)
    return oldest
