"""Whether a ``uv.lock`` is still that of the ``pyproject.toml`` next to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from freezer.model.parsing import TomlError, parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_ELSEWHERE = ("git", "url", "path", "directory", "editable", "virtual")
"""Keys of requirements whose versions uv does not lock, since their source decides."""


def changed_requirements(locked: Sequence[dict[str, Any]], project: Path) -> tuple[str, ...]:
    """Return the requirements of a project's file that the lock was not made from.

    Empty where they are equal, and where the file cannot be read or leaves them to a build.
    ``locked`` are the entries of ``requires-dist``.
    """
    try:
        table: Any = parse_toml(project.read_text(encoding="utf-8")).get("project")
    except (OSError, UnicodeError, TomlError):
        return ()
    if not isinstance(table, dict) or "dependencies" in _list(table.get("dynamic")):
        return ()
    own = canonicalize_name(str(table.get("name")))
    known = {_locked(entry) for entry in locked} | {(own, None)}
    anywhere = {name for name, version in known if version is None}
    found = []
    for text in _texts(table):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # uv refuses it
        name = canonicalize_name(requirement.name)
        if name not in anywhere and (name, str(requirement.specifier)) not in known:
            found.append(text)
    return tuple(found)


def _locked(entry: dict[str, Any]) -> tuple[str, str | None]:
    """Return a name and its versions; None for those of a source that decides the version."""
    name = canonicalize_name(str(entry.get("name")))
    if any(key in entry for key in _ELSEWHERE):
        return name, None
    try:
        return name, str(SpecifierSet(str(entry.get("specifier", ""))))
    except InvalidSpecifier:
        return name, None


def _texts(table: dict[str, Any]) -> Iterator[str]:
    yield from _list(table.get("dependencies"))
    extras = table.get("optional-dependencies")
    for items in extras.values() if isinstance(extras, dict) else ():
        yield from _list(items)


def _list(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
