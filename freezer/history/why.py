"""What needs a locked package: the lock as a graph, and the shortest ways through it.

Pure: what only other rooms know (the names in match specs, which Python packages conda brings,
what wheels ask for) comes in as mappings.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from freezer.model.generation import Generation, entry_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from freezer.history.log import History
    from freezer.model.lock import BasePackage, CondaPackage, DebianPackage, Lock, PipPackage

Ecosystem = Literal["pip", "build", "conda", "debian", "base"]
"""``build``: wheels that the build of a source distribution needs. They are not in the image."""
JOINT: Final = "; why: "
"""In a lock's reasons: between what asked for a package and the reason that the spec gives."""
_NEEDED: Final = "needed by "


@dataclass(frozen=True, order=True)
class Key:
    """A package of a lock: its ecosystem, its name, and for ``build`` whose build needs it."""

    ecosystem: Ecosystem
    name: str
    of: str = ""

    def __str__(self) -> str:
        """Return the name, with the ecosystem that it is from."""
        return f"{self.name} ({f'build of {self.of}' if self.of else self.ecosystem})"


@dataclass(frozen=True)
class Need:
    """One package needs another."""

    by: Key
    wanted: tuple[str, ...] = ()
    """The versions that it takes, as it writes them, an empty text for any; none where that is
    not known."""


@dataclass(frozen=True)
class Graph:
    """The packages of a lock, and for each what needs it."""

    packages: Mapping[Key, PipPackage | CondaPackage | DebianPackage | BasePackage]
    needs: Mapping[Key, tuple[Need, ...]]
    """By the package that is needed; sorted by who needs it."""
    roots: frozenset[Key]
    """What is here without another package's need: asked for, Freezer's own, or essential."""

    def named(self, names: Iterable[str]) -> tuple[Key, ...]:
        """Return the packages of any of these names, in every ecosystem."""
        wanted = set(names)
        return tuple(sorted(key for key in self.packages if key.name in wanted))


@dataclass(frozen=True)
class Lookup:
    """What a lock alone does not say."""

    spec_names: Mapping[str, str] = field(default_factory=dict)
    """Match spec of conda to the package that it is about."""
    conda_brings: Mapping[str, str] = field(default_factory=dict)
    """Python package to the conda package that brings it."""
    wheels: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Python package to what its wheel asks for on the target: name to version ranges, an empty
    text for any version."""


def graph(lock: Lock, known: Lookup) -> Graph:
    """Return what needs what in a lock. A name that is not locked (``__glibc``) is left out."""
    packages: dict[Key, PipPackage | CondaPackage | DebianPackage | BasePackage] = {}
    packages.update({Key("base", item.name): item for item in lock.base.packages})
    packages.update({Key("debian", item.name): item for item in lock.debian})
    packages.update({Key("conda", item.name): item for item in lock.conda})
    for item in lock.pip:
        packages[Key("pip", item.name)] = item
        for part in item.build_requires:
            packages[Key("build", part.name, item.name)] = part
    found: dict[Key, dict[Key, list[str]]] = {}
    for needed, need in _edges(lock, known, packages.keys()):
        if needed in packages and need.by in packages:
            found.setdefault(needed, {}).setdefault(need.by, []).extend(need.wanted)
    needs = {
        needed: tuple(Need(by, _ranges(wanted)) for by, wanted in sorted(mine.items()))
        for needed, mine in found.items()
    }
    roots = frozenset(key for key, item in packages.items() if _is_root(key, item))
    return Graph(packages, needs, roots)


def _ranges(wanted: Sequence[str]) -> tuple[str, ...]:
    """Leave out what is said twice, and "any version" beside a range."""
    ranges = tuple(dict.fromkeys(text for text in wanted if text))
    return ranges or tuple(dict.fromkeys(wanted))


def asked_and_why(reason: str) -> tuple[str, str | None]:
    """Return what asked for a package, and the reason that the spec gives, out of a lock's."""
    asked, joint, why = reason.partition(JOINT)
    return asked, why if joint else None


def needed_by(reason: str) -> tuple[str, ...]:
    """Return the packages that a reason names."""
    asked = reason.partition(";")[0]
    if not asked.startswith(_NEEDED):
        return ()
    return tuple(name.strip() for name in asked.removeprefix(_NEEDED).split(","))


def chains(found: Graph, target: Key) -> list[tuple[Key, ...]]:
    """Return for each direct parent the shortest way to the target from a root, shortest first.

    A root that is the target itself is the first way. A parent that is only here because of the
    target is on no way.
    """
    before = _shortest(found, target)
    ways: list[tuple[Key, ...]] = [(target,)] if target in found.roots else []
    parents = [need.by for need in found.needs.get(target, ()) if need.by in before]
    ways.extend((*_walk(before, parent), target) for parent in parents)
    return sorted(ways, key=lambda way: (len(way), way))


def _shortest(found: Graph, without: Key) -> dict[Key, Key | None]:
    """Return for every package that a root leads to the one before it; never through `without`."""
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


def _edges(lock: Lock, known: Lookup, packages: Iterable[Key]) -> Iterator[tuple[Key, Need]]:
    names = set(packages)
    yield from _debian("base", lock.base.packages)
    yield from _debian("debian", lock.debian)
    for item in lock.conda:
        for text in item.depends:
            by = Key("conda", item.name)
            name = known.spec_names.get(text, text)
            wanted = text.partition(name)[2].strip()
            yield Key("conda", name), Need(by, (wanted,))
    for package in lock.pip:
        by = Key("pip", package.name)
        asks = known.wheels.get(package.name, {})
        for name in {*package.requires, *(one for one in asks if one in known.conda_brings)}:
            needed = Key("pip", name)
            if needed not in names:
                needed = Key("conda", known.conda_brings.get(name, name))
            yield needed, Need(by, asks.get(name, ()))
        for part in package.build_requires:
            yield Key("build", part.name, package.name), Need(by)


def _debian(
    ecosystem: Literal["debian", "base"], packages: Sequence[DebianPackage | BasePackage]
) -> Iterator[tuple[Key, Need]]:
    """Return what the reasons name. A package of either ecosystem may need one of the base."""
    for item in packages:
        for name in needed_by(getattr(item, "reason", "")):
            yield Key(ecosystem, item.name), Need(Key(ecosystem, name))
            yield (
                Key(ecosystem, item.name),
                Need(Key("debian" if ecosystem == "base" else "base", name)),
            )


def _is_root(key: Key, item: PipPackage | CondaPackage | DebianPackage | BasePackage) -> bool:
    if key.ecosystem == "build":
        return False
    return bool(getattr(item, "requested", False)) or not needed_by(getattr(item, "reason", ""))


def since(past: History, current: Generation, same: Callable[[Generation], bool]) -> Generation:
    """Return the oldest generation from which on something was never otherwise, up to `current`.

    Where two branches were joined, both are followed. ``same`` says whether a generation has it;
    it is asked once for each, and never for those behind one that has it not.
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
