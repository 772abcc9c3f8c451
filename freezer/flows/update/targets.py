"""What the words after ``freeze update`` mean: packages of a lock, in any ecosystem."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from freezer.ecosystems import INSTALLED
from freezer.errors import LockError, SpecError, Where
from freezer.flows.project.environment import LOCKS, environments, load_environment
from freezer.model.lockfile import LOCK_FILE
from freezer.resolve.minimal import Release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from freezer.model.lock import Lock, Target
    from freezer.resolve.python.interface import PipRequirement
    from freezer.resolve.python.requirements.gather import PipRequirements

BASE: Final = "base"
PYTHON: Final = "python"
_NAMED: Final = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._+-]*)(==(?P<version>[^\s,;<>=]+))?\Z")
_DEBIAN_PYTHON: Final = re.compile(r"(lib)?python3(\.\d+)?(-.*)?\Z")
_NEAR: Final = 3
"""Names that an error proposes."""


@dataclass(frozen=True)
class Named:
    """A package, ``base`` or ``python``, and the version that it is to have, if one is given."""

    name: str
    version: str | None = None


def split_environment(project: Path, words: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """Return the environment that the first word names, if it names one, and the packages.

    Raises ``SpecError`` where there are several environments and it names none.
    """
    known = environments(project)
    own = load_environment(project, "").name if "" in known else None
    if words and (words[0] == own or words[0] in known):
        return words[0], tuple(words[1:])
    if len(known) > 1 and words:
        load_environment(project, words[0])
    return None, tuple(words)


def parse_named(texts: Iterable[str]) -> tuple[Named, ...]:
    """Return what ``NAME`` and ``NAME==VERSION`` mean. Raises ``SpecError``."""
    found = []
    for text in texts:
        match = _NAMED.match(text)
        if match is None or (match["version"] and match["name"] in (BASE, PYTHON)):
            raise SpecError(
                f"{text!r} is no package that can be updated",
                expected="NAME or NAME==VERSION; or the words base and python",
                hint="ranges belong into the spec; then run `freeze lock`",
            )
        found.append(Named(match["name"], match["version"]))
    return tuple(found)


def released(lock: Lock, named: Sequence[Named]) -> dict[str, Release]:
    """Return by ecosystem what is to move. Raises ``LockError`` for a name that the lock lacks."""
    names: dict[str, set[str]] = {}
    pins: dict[str, dict[str, str]] = {}
    for item in named:
        ecosystems = _ecosystems(lock, item.name)
        if not ecosystems:
            raise _unknown(lock, item.name)
        for ecosystem, mine in ecosystems.items():
            names.setdefault(ecosystem, set()).update(mine)
            if item.version is not None:
                pins.setdefault(ecosystem, {}).update(dict.fromkeys(mine, item.version))
    return {
        ecosystem: Release(frozenset(mine), pins.get(ecosystem, {}))
        for ecosystem, mine in names.items()
    }


def require_in_range(named: Sequence[Named], pip: PipRequirements, target: Target) -> None:
    """Compare given versions with the spec's requirements. Raises ``SpecError``."""
    for item in named:
        if item.version is None:
            continue
        name = canonicalize_name(item.name)
        for line in (*pip.requirements, *pip.constraints):
            if line.name == name and line.applies(target):
                _require_within(line, item.version)


def _require_within(line: PipRequirement, version: str) -> None:
    wanted = line.requirement.specifier
    if not wanted.contains(version, prereleases=True):
        raise SpecError(
            f"the spec does not allow {line.name} {version}",
            where=line.where,
            found=str(line.requirement),
            expected=f"a range that holds {version}",
            hint=f"widen `{wanted}` there, then run the command again",
        )


def _ecosystems(lock: Lock, name: str) -> Mapping[str, set[str]]:
    """Return the ecosystems that a name is of, and what it is called there."""
    if name == BASE:
        return {"base": set()}
    if name == PYTHON:
        return _python(lock)
    found = {
        ecosystem.name: {
            item.name for item in ecosystem.packages(lock) if item.name == ecosystem.own_name(name)
        }
        for ecosystem in INSTALLED
    }
    return {ecosystem: mine for ecosystem, mine in found.items() if mine}


def _python(lock: Lock) -> Mapping[str, set[str]]:
    if any(item.name == PYTHON for item in lock.conda):
        return {"conda": {PYTHON}}
    debian = {item.name for item in lock.debian if _DEBIAN_PYTHON.match(item.name)}
    return {"debian": debian} if debian else {"base": set()}


def _unknown(lock: Lock, name: str) -> LockError:
    where = Where(f"{LOCKS}/{lock.name}/{LOCK_FILE}")
    if any(item.name == name for item in lock.base.packages):
        return LockError(
            f"{name} comes with the base, which moves as a whole",
            where=where,
            hint=f"run `freeze update {lock.name} base`",
        )
    names = {item.name for ecosystem in INSTALLED for item in ecosystem.packages(lock)}
    near = difflib.get_close_matches(name.lower(), sorted(names), _NEAR, 0.6)
    return LockError(
        f"{name} is not in the lock",
        where=where,
        expected=f"one of its packages, such as {', '.join(near)}" if near else "a package of it",
        hint=f"did you mean {near[0]}?"
        if near
        else "ask for it in the spec, then run `freeze lock`",
    )
