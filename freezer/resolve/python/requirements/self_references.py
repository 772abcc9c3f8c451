"""Requirements on the spec's own projects: ``me[plots]`` is its own extra, never an index's.

Extras and groups include one another in this way (PEP 621, PEP 735), and the projects of one
repository require one another. An index may hold a stranger's package of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from freezer.errors import SpecError, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_MOST = 10_000
"""Maximum requirements that one set may expand to; bounds extras that include each other."""


@dataclass(frozen=True)
class Declared:
    """One dependency as text, with its location."""

    text: str
    where: Where


@dataclass(frozen=True)
class OwnProject:
    """A project, for requirements on itself."""

    name: str
    """Normalised."""
    version: str | None
    """None when only a build determines it."""
    requirements_of: Callable[[str], list[Declared]]
    """The requirements of an extra by normalised name. Raises ``SpecError`` for an unknown one."""


def expand(
    declared: Iterable[Declared], own: Mapping[str, OwnProject], extras: Mapping[str, Iterable[str]]
) -> list[Declared]:
    """Return requirements with those on own projects replaced by what they stand for.

    One without extras stands for nothing: a project's own dependencies are read with its file. One
    with extras stands for their requirements, under its marker. ``own`` has the projects by
    normalised name; ``extras`` names those of each whose requirements are among ``declared``.
    Raises ``SpecError`` for a version that a project does not have, and for an address.
    """
    found = list[Declared]()
    seen = {
        (name, str(canonicalize_name(extra)), "") for name, of in extras.items() for extra in of
    }
    waiting = [(item, "") for item in declared]
    for _ in range(_MOST):
        if not waiting:
            return found
        item, marker = waiting.pop(0)
        requirement = _parsed(item.text)
        project = own.get(canonicalize_name(requirement.name)) if requirement else None
        if requirement is None or project is None:
            found.append(_under(item, requirement, marker))
            continue
        _require_this(requirement, item, project)
        joined = _joined(marker, str(requirement.marker or ""))
        for extra in sorted(map(canonicalize_name, requirement.extras), reverse=True):
            if not seen & {(project.name, extra, joined), (project.name, extra, "")}:
                seen.add((project.name, extra, joined))
                waiting[:0] = [(one, joined) for one in _requirements_of(project, extra, item)]
    raise SpecError(
        "the project's extras include each other too often",
        found=f"more than {_MOST} requirements",
        hint="list the requirements of each extra once",
    )


def _requirements_of(project: OwnProject, extra: str, item: Declared) -> list[Declared]:
    """Return an extra's requirements; an unknown one is an error of the line that asks for it."""
    try:
        return project.requirements_of(extra)
    except SpecError as error:
        if error.where is None or error.where.line is None:
            error.where = item.where
        raise


def _parsed(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None  # reported with its line when the requirement itself is parsed


def _require_this(requirement: Requirement, item: Declared, own: OwnProject) -> None:
    """Raise ``SpecError`` for a requirement on another project of the same name."""
    version = _version(own.version)
    fits = version is None or requirement.specifier.contains(version, prereleases=True)
    if requirement.url is None and fits:
        return
    raise SpecError(
        f"{requirement.name} is this project, but this requirement is on another one",
        where=item.where,
        found=item.text,
        expected=f"{requirement.name} {own.version}" if own.version else "no address",
        hint="leave out the version or the address: a project's requirement on itself means its "
        "own extras; for the published package, write NAME==VERSION in the spec's own list",
    )


def _version(text: str | None) -> Version | None:
    try:
        return Version(text) if text else None
    except InvalidVersion:
        return None


def _joined(one: str, other: str) -> str:
    if one and other and one != other:
        return f"({one}) and ({other})"
    return one or other


def _under(item: Declared, requirement: Requirement | None, marker: str) -> Declared:
    if requirement is None or not marker:
        return item
    own = str(requirement.marker or "")
    requirement.marker = Marker(_joined(marker, own))
    return Declared(str(requirement), item.where)
