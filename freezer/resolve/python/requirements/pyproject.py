"""Dependencies of a ``pyproject.toml``: its own, its extras, its groups (PEP 735)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from packaging.dependency_groups import CyclicDependencyGroup, DependencyGroupResolver
from packaging.utils import canonicalize_name

from freezer.errors import SpecError, Where
from freezer.model.parsing import TomlError, parse_toml
from freezer.resolve.python.requirements.known_target import KnownTarget
from freezer.resolve.python.requirements.other_tools import OtherTools
from freezer.resolve.python.requirements.self_references import Declared, OwnProject
from freezer.resolve.python.requirements.uv_settings import UvSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def _holds(line: str, text: str) -> bool:
    """Return whether a line of TOML has a text, as written or with escapes."""
    return text in line.replace('\\"', '"') or json.dumps(text)[1:-1] in line


class Project:
    """A parsed ``pyproject.toml``."""

    def __init__(self, text: str, shown: str, known: KnownTarget | None = None) -> None:
        """Parse; ``known`` selects among sources by marker. Raises ``SpecError`` with its line."""
        self._text, self._shown = text, shown
        try:
            self._document = parse_toml(text)
        except TomlError as error:
            raise SpecError("not valid TOML", where=Where(shown), found=str(error)) from error
        tool = self._table("tool")
        self.uv = UvSettings(
            self._table("tool", "uv"), shown, self._line_below, known or KnownTarget()
        )
        self.others = OtherTools(tool, shown, self._line_below)

    @property
    def requires_python(self) -> str | None:
        """The project's ``requires-python``."""
        value = self._project.get("requires-python")
        return value if isinstance(value, str) else None

    @property
    def name(self) -> str | None:
        """The project's name, normalised; None where the file has none."""
        value = self._project.get("name") or self._table("tool", "poetry").get("name")
        return canonicalize_name(value) if isinstance(value, str) else None

    def dependencies(self, extras: Sequence[str], groups: Sequence[str]) -> list[Declared]:
        """Return all requested dependencies. Raises ``SpecError``.

        The project's own name among them stands for its extras: see `self_references`.
        """
        self.uv.require_no_conflict(extras, groups)
        found = [] if groups and "project" not in self._document else list(self._own())
        for extra in extras:
            found += self._extra(extra)
        if groups:
            found += self._groups(groups)
        return found

    def own(self) -> OwnProject | None:
        """Return what requirements on this project stand for; None where it has no name."""
        if self.name is None:
            return None
        version = self._project.get("version")
        return OwnProject(self.name, version if isinstance(version, str) else None, self._extra)

    def _own(self) -> Iterator[Declared]:
        if "project" not in self._document:
            poetry = "poetry" in self._table("tool")
            raise SpecError(
                "no [project] table, so there are no dependencies",
                where=Where(self._shown),
                hint="export them to a requirements file (`poetry export`) and name that"
                if poetry
                else "declare [project] dependencies, or name a [dependency-groups] group",
            )
        dynamic = self._project.get("dynamic", [])
        if isinstance(dynamic, list) and "dependencies" in dynamic:
            raise SpecError(
                "the dependencies are dynamic: only the project's build can compute them",
                where=Where(self._shown, self._line_of("dynamic"), "project.dynamic"),
                hint="name the file that they come from (often requirements.txt) instead",
            )
        yield from self._texts(self._project.get("dependencies", []), "project.dependencies")

    def _extra(self, extra: str) -> list[Declared]:
        table = self._table("project", "optional-dependencies")
        known = {canonicalize_name(key): key for key in table}
        name = canonicalize_name(extra)
        if name not in known:
            raise self._unknown("extra", extra, table)
        key = f"project.optional-dependencies.{known[name]}"
        return list(self._texts(table[known[name]], key))

    def _groups(self, groups: Sequence[str]) -> Iterator[Declared]:
        """Resolve dependency groups and their includes by PEP 735."""
        found: dict[str, Declared] = {}
        resolver = self._resolver(found)
        for group in groups:
            try:
                marks = resolver.resolve(group)
            except ExceptionGroup as error:
                raise self._group_error(group, error.exceptions[0]) from error
            yield from (found[mark.name] for mark in marks)

    def _resolver(self, found: dict[str, Declared]) -> DependencyGroupResolver:
        """Return a resolver of the groups that yields a placeholder for each requirement.

        The resolver would return parsed requirements, without the text and line that errors and
        reasons need; ``found`` maps each placeholder to those.
        """
        marked: dict[str, Any] = {}
        for name, items in self._table("dependency-groups").items():
            key = f"dependency-groups.{name}"
            if not isinstance(items, list):
                raise self._not_a_list(items, key)
            marked[name] = []
            for item in items:
                mark = item
                if isinstance(item, str):
                    mark = f"mark-{len(found)}"
                    found[mark] = Declared(item, Where(self._shown, self._line_of(item), key))
                marked[name].append(mark)
        try:
            return DependencyGroupResolver(marked)
        except ExceptionGroup as error:
            raise SpecError(
                "two dependency groups have the same normalised name",
                where=Where(self._shown, key="dependency-groups"),
                found=str(error.exceptions[0]),
                hint="rename one of them",
            ) from error

    def _group_error(self, group: str, error: Exception) -> SpecError:
        table = self._table("dependency-groups")
        known = {canonicalize_name(key): key for key in table}
        if isinstance(error, LookupError):
            missing = re.findall(r"'(.*)'", str(error))
            return self._unknown("group", missing[0] if missing else group, table)
        key = known.get(canonicalize_name(group), group)
        where = Where(self._shown, self._line_of(key), f"dependency-groups.{key}")
        if isinstance(error, CyclicDependencyGroup):
            return SpecError(
                f"the group {error.group!r} includes itself",
                where=where,
                found=f"{error.group} → {error.include_group} → {error.group}",
                hint="remove one of the includes",
            )
        return SpecError(
            "a dependency group has an entry that is neither a requirement nor an include",
            where=where,
            found=str(error),
            expected='"NAME>=VERSION" or {include-group = "GROUP"}',
        )

    def _texts(self, items: Any, key: str) -> Iterator[Declared]:
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self._not_a_list(items, key)
        for item in items:
            yield Declared(item, Where(self._shown, self._line_of(item), key))

    @property
    def _project(self) -> dict[str, Any]:
        return self._table("project")

    def _table(self, *names: str) -> dict[str, Any]:
        """Return a table, empty where there is none. Raises ``SpecError`` for no table."""
        table: Any = self._document
        for depth, name in enumerate(names, 1):
            table = table.get(name, {})
            if not isinstance(table, dict):
                raise SpecError(
                    f"'{name}' is not a table",
                    where=Where(self._shown, self._line_of(name), ".".join(names[:depth])),
                    found=repr(table),
                    expected=f"[{'.'.join(names[:depth])}]",
                )
        found: dict[str, Any] = table
        return found

    def _line_of(self, text: str) -> int | None:
        """Return the first line that contains a text: TOML parsers report no locations."""
        for number, line in enumerate(self._text.splitlines(), 1):
            if _holds(line, text):
                return number
        return None

    def _not_a_list(self, items: Any, key: str) -> SpecError:
        return SpecError(
            "not a list of requirements", where=Where(self._shown, key=key), found=repr(items)
        )

    def _line_below(self, table: str, text: str) -> int | None:
        """Return the first line that contains a text at or below a table's header."""
        header = re.compile(rf"^\s*\[+(tool\.(uv\.)?)?{re.escape(table.removeprefix('tool.'))}\b")
        lines = self._text.splitlines()
        start = next((n for n, line in enumerate(lines) if header.match(line)), 0)
        for number, line in enumerate(lines[start:], start + 1):
            if _holds(line, text):
                return number
        return self._line_of(text)

    def _unknown(self, kind: str, name: str, known: dict[str, Any]) -> SpecError:
        return SpecError(
            f"no {kind} {name!r}",
            where=Where(self._shown),
            expected=", ".join(sorted(known)) or f"none: the file declares no {kind}s",
        )
