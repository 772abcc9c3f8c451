"""``freeze why``: what needs a locked package, what holds it at its version, and since when."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from freezer.ecosystems import INSTALLED
from freezer.ecosystems.interface import Key, Lookup, Need
from freezer.errors import LockError, Where
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.project.environment import LOCKS
from freezer.flows.why.ask import Offer, offer
from freezer.flows.why.constraints import Hold, holds, wheel_needs
from freezer.flows.why.released import Released, released
from freezer.flows.why.since import Since, since_when
from freezer.frameworks import python_names
from freezer.history.why import Graph, chains, graph
from freezer.model.lockfile import LOCK_FILE
from freezer.model.reason import split_reason

if TYPE_CHECKING:
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.frameworks.atlas.table import Stream
    from freezer.model.lock import BasePackage, CondaPackage, DebianPackage, Lock, PipPackage


_NEAR: Final = 3
"""Names that an error proposes."""


@dataclass(frozen=True)
class Answer:
    """Why one package is in the lock, at its version."""

    key: Key
    package: PipPackage | CondaPackage | DebianPackage | BasePackage
    reason: str
    """What put it there, as the lock has it."""
    why: str | None
    """The reason that the spec gives."""
    parents: tuple[Need, ...]
    chains: tuple[tuple[Key, ...], ...]
    holds: tuple[Hold, ...]
    since: Since | None
    offer: Offer | None = None
    numbers: tuple[Stream, ...] = ()
    """Operations whose numbers changed between releases, as measured."""
    released: Released | None = None
    """What an update would change with it; None if not requested, or if it follows another one."""


@dataclass(frozen=True)
class Why:
    """What the lock knows of a name, in each ecosystem that has it."""

    environment: str
    lock_id: str
    name: str
    answers: tuple[Answer, ...]


def why(project: Project, environment: str | None, name: str, *, ask: bool = False) -> Why:
    """Return why a package is locked. Writes nothing.

    Only to ``ask`` are indexes read, and resolvers asked what would happen if it were released.

    Raises ``LockError`` without a lock, and for a name that it does not have.
    """
    locked = load_current_lock(project, environment)
    names = {name, name.lower(), canonicalize_name(name)}
    lookup = _lookup(project, locked.lock, names)
    found = graph(locked.lock, lookup)
    keys = _keys(found, lookup, names)
    if not keys:
        raise _unknown(locked.lock, name, found)
    answers = tuple(_answer(project, locked, found, key, ask=ask) for key in keys)
    return Why(locked.lock.name, locked.id, name, answers)


def _answer(project: Project, locked: Locked, found: Graph, key: Key, *, ask: bool) -> Answer:
    package = found.packages[key]
    held = holds(project, locked.lock, found, key)
    reason, given = split_reason(getattr(package, "reason", "the base image holds it"))
    return Answer(
        key=key,
        package=package,
        reason=reason,
        why=given,
        parents=found.needs.get(key, ()),
        chains=tuple(chains(found, key)),
        holds=held,
        since=since_when(project, locked, key),
        numbers=_numbers(key),
        offer=_offer(project, locked.lock, package, held) if ask else None,
        released=released(project, locked.lock, key.name)
        if ask and key.ecosystem in {one.name for one in INSTALLED}
        else None,
    )


def _numbers(key: Key) -> tuple[Stream, ...]:
    """Return the operations of a Python package whose numbers are not those of every release."""
    if key.ecosystem not in ("conda", "pip"):
        return ()
    from freezer.frameworks.atlas.table import of_conda, sheet

    name = of_conda(key.name, python_names()) if key.ecosystem == "conda" else key.name
    found = sheet(name) if name is not None else None
    return tuple(item for item in found.streams if item.changes()) if found else ()


def _lookup(project: Project, lock: Lock, names: set[str]) -> Lookup:
    """Return what the graph needs; only wheels that may need one of the names are opened."""
    from freezer.resolve.conda.names import provided_by_conda
    from freezer.resolve.conda.specname import spec_name

    specs = {text: spec_name(text) for item in lock.conda for text in item.depends}
    brings = {name: item.name for name, (item, _) in provided_by_conda(lock.conda).items()}
    # What pip packages need of conda is in no lock, so for such a name all wheels are read.
    shared = names & {*brings, *brings.values()}
    wanted = [item for item in lock.pip if shared or names & set(item.requires)]
    read = {item.name: wheel_needs(project, lock, item) for item in wanted}
    wheels = {name: needs for name, needs in read.items() if needs is not None}
    return Lookup(specs, brings, wheels)


def _offer(
    project: Project,
    lock: Lock,
    package: PipPackage | CondaPackage | DebianPackage | BasePackage,
    held: tuple[Hold, ...],
) -> Offer | None:
    return offer(project, lock, package, held) if package in lock.pip else None


def _keys(found: Graph, lookup: Lookup, names: set[str]) -> tuple[Key, ...]:
    """Return the packages of a name; what conda brings under another one goes by both."""
    conda = {lookup.provided_by_conda[one] for one in names if one in lookup.provided_by_conda}
    more = [key for key in found.named(conda) if key.ecosystem == "conda"]
    return tuple(sorted({*found.named(names), *more}))


def _unknown(lock: Lock, name: str, found: Graph) -> LockError:
    names = sorted({key.name for key in found.packages})
    near = difflib.get_close_matches(name.lower(), names, _NEAR, 0.6)
    elsewhere = [
        platform
        for ecosystem in INSTALLED
        for platform, packages in ecosystem.other_platforms(lock).items()
        if any(package.name == name for package in packages)
    ]
    return LockError(
        f"{name} is not in the lock",
        where=Where(f"{LOCKS}/{lock.name}/{LOCK_FILE}"),
        found=f"it is locked for {', '.join(elsewhere)} alone" if elsewhere else None,
        expected=f"one of its packages, such as {', '.join(near)}" if near else "a package of it",
        hint=f"did you mean `freeze why {lock.name} {near[0]}`?"
        if near
        else "the lock's file names all of them",
    )
