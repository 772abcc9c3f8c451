"""``[tool.uv]`` of a ``pyproject.toml``: indexes, sources, overrides, constraints, conflicts."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from freezer.errors import SpecError, Where
from freezer.resolve.python.requirements.self_references import Declared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from freezer.resolve.python.requirements.known_target import KnownTarget

_WITHOUT_EFFECT: Final = frozenset(
    {
        "cache-dir", "cache-keys", "compile-bytecode", "concurrent-builds", "concurrent-downloads",
        "concurrent-installs", "default-groups", "environments", "keyring-provider", "link-mode",
        "managed", "native-tls", "system-certs", "offline", "package", "preview", "publish-url",
        "python-downloads", "python-preference", "required-environments", "required-version",
        "trusted-publishing", "upgrade", "build-backend", "check-url", "audit", "add-bounds",
    }
)  # fmt: skip
"""Keys without effect on a lock."""
_PIP_WITHOUT_EFFECT: Final = _WITHOUT_EFFECT | {
    "all-extras", "annotation-style", "break-system-packages", "custom-compile-command",
    "emit-build-options", "emit-find-links", "emit-index-annotation", "emit-index-url",
    "emit-marker-expression", "extra", "generate-hashes", "group", "no-annotate", "no-header",
    "no-strip-extras", "no-strip-markers", "output-file", "prefix", "python", "python-platform",
    "python-version", "require-hashes", "strict", "system", "target", "universal",
    "verify-hashes",
}  # fmt: skip
"""Keys of ``[tool.uv.pip]`` without effect on a lock."""
_READ: Final = frozenset(
    {"sources", "index", "override-dependencies", "constraint-dependencies", "conflicts",
     "index-url", "extra-index-url", "find-links", "no-index", "prerelease", "workspace", "pip",
     "dev-dependencies", "dependency-groups"}
)  # fmt: skip
_REFUSED: Final = {
    "path": "build a wheel of it, put it into a folder, and require it by name and version with "
    "--find-links FOLDER",
    "workspace": "list what the member needs as well (`pip: {files: [pyproject.toml, "
    "packages/NAME/pyproject.toml]}`) and copy its code as `smoke.files`; or build a wheel of it "
    "and require that with --find-links FOLDER",
}


@dataclass(frozen=True)
class UvIndex:
    """One ``[[tool.uv.index]]``."""

    name: str | None
    url: str
    explicit: bool
    default: bool


@dataclass
class UvSettings:
    """What ``[tool.uv]`` adds to a project's requirements."""

    table: Mapping[str, Any]
    label: str
    line: Callable[[str, str], int | None]
    """Returns the line of a text at or below a table's header."""
    known: KnownTarget
    warnings: list[str] = field(default_factory=list)
    pinned: dict[str, str] = field(default_factory=dict)
    """Normalised name to the index that it is pinned to."""
    root: UvSettings | None = None
    """The settings of the workspace that the project is a member of; its own indexes, constraints
    and overrides are not in force then, as uv has it, and its own sources go first."""

    def __post_init__(self) -> None:
        """Read the indexes. Raises ``SpecError``."""
        self.indexes = tuple(self._indexes())
        for key in self.table:
            if key not in _READ | _WITHOUT_EFFECT:
                self.warnings.append(f"{self._where(key)}: 'tool.uv.{key}' is ignored")
        pip = self.table.get("pip")
        for key in sorted(set(pip) - _PIP_WITHOUT_EFFECT) if isinstance(pip, dict) else ():
            where = self._where(key, "tool.uv.pip")
            self.warnings.append(f"{where}: this setting of `uv pip` is ignored")
        if self.table.get("workspace"):
            self.warnings.append(
                f"{self._where('workspace')}: the workspace's other members are not read"
            )
        if self.table.get("dev-dependencies"):
            self.warnings.append(
                f"{self._where('dev-dependencies')}: dev-dependencies are not installed; move them "
                "into a [dependency-groups] group and name it under `groups:`"
            )
        self._sources: dict[str, list[dict[str, Any]]] = {}
        self._written: dict[str, str] = {}
        for name, entries in self._source_table():
            self._sources[canonicalize_name(name)] = entries
            self._written[canonicalize_name(name)] = name

    def applied(self, item: Declared) -> Declared:
        """Return a requirement with its source: a URL in it, or an index pinned for it.

        Raises ``SpecError`` with its line for a path, a workspace, an unknown index.
        """
        try:
            requirement = Requirement(item.text)
        except InvalidRequirement:
            return item
        name = canonicalize_name(requirement.name)
        source = self._source_of(name, item.where)
        if source is None and self.root is not None:
            return self.root.applied(item)
        if source is None or self.known.holds(requirement.marker) is False:
            return item
        where = self._where(self._written[name], "sources")
        for kind, hint in _REFUSED.items():
            if source.get(kind):
                raise SpecError(
                    f"{requirement.name} comes from a {kind} of this machine, which cannot be "
                    "locked",
                    where=where,
                    found=f"{kind} = {source[kind]!r}",
                    hint=hint,
                )
        if index := source.get("index"):
            self._pin(name, index, where)
            return item
        address = self._address(source, where)
        marker = f" ; {requirement.marker}" if requirement.marker else ""
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        return Declared(f"{requirement.name}{extras} @ {address}{marker}", item.where)

    def texts(self, key: str) -> Iterator[Declared]:
        """Yield the requirements of ``override-dependencies`` or ``constraint-dependencies``."""
        items = self.table.get(key, [])
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self._wrong(key, items, "a list of requirements")
        for item in items:
            yield Declared(item, self._where(item, key))

    def group_python(self, group: str) -> tuple[str, Where] | None:
        """Return what a dependency group requires of Python, and where; None for nothing."""
        table = self.table.get("dependency-groups")
        for name, entry in table.items() if isinstance(table, dict) else ():
            text = entry.get("requires-python") if isinstance(entry, dict) else None
            if canonicalize_name(name) == canonicalize_name(group) and isinstance(text, str):
                return text, self._where(text, "tool.uv.dependency-groups")
        return None

    def require_no_conflict(self, extras: Sequence[str], groups: Sequence[str]) -> None:
        """Raise ``SpecError`` for extras and groups that the project declares as conflicting."""
        chosen = {("extra", canonicalize_name(name)) for name in extras}
        chosen |= {("group", canonicalize_name(name)) for name in groups}
        sets = self.table.get("conflicts", [])
        if not isinstance(sets, list) or not all(isinstance(item, list) for item in sets):
            raise self._wrong("conflicts", sets, "a list of lists of tables")
        for conflict in sets:
            both = sorted(
                f"{kind} {item[kind]!r}"
                for item in conflict
                if isinstance(item, dict)
                for kind in ("extra", "group")
                if (kind, canonicalize_name(str(item.get(kind, "")))) in chosen
            )
            if len(both) > 1:
                raise SpecError(
                    "the project declares these as conflicting",
                    where=self._where("conflicts"),
                    found=" and ".join(both),
                    hint="name one of them in the spec",
                )

    def _source_table(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        sources = self.table.get("sources", {})
        if not isinstance(sources, dict):
            raise self._wrong("sources", sources, "a table")
        for name, entry in sources.items():
            entries = entry if isinstance(entry, list) else [entry]
            if not all(isinstance(item, dict) for item in entries):
                raise self._wrong("sources", entry, "a table, or a list of tables")
            yield name, entries

    def _source_of(self, name: str, where: Where) -> dict[str, Any] | None:
        """Return the source of a requirement for the target, if there is one."""
        for entry in self._sources.get(name, ()):
            only = entry.get("extra") or entry.get("group")
            of = (where.key or "").rpartition(".")[2]
            if only and canonicalize_name(str(only)) != canonicalize_name(of):
                continue
            if self._holds(entry.get("marker"), name):
                return dict(entry)
        return None

    def _holds(self, text: Any, name: str) -> bool:
        if text is None:
            return True
        where = self._where(self._written[name], "sources")
        try:
            holds = self.known.holds(Marker(str(text)))
        except InvalidMarker as error:
            raise SpecError("not a marker", where=where, found=repr(text)) from error
        if holds is None:
            raise SpecError(
                "this marker depends on the base, which is not known yet",
                where=where,
                found=str(text),
                hint="use python_version, sys_platform and platform_machine",
            )
        return holds

    def _pin(self, name: str, index: Any, where: Where) -> None:
        indexes = (*self.indexes, *(self.root.indexes if self.root else ()))
        found = next((item for item in indexes if item.name == index), None)
        if found is None:
            names = sorted({item.name for item in indexes if item.name})
            near = difflib.get_close_matches(str(index), names, 1)
            raise SpecError(
                f"there is no index {index!r}",
                where=where,
                expected=", ".join(names) or "an [[tool.uv.index]] of that name",
                hint=f"did you mean {near[0]!r}?" if near else "add it, or correct the name",
            )
        if self.pinned.setdefault(name, found.url) != found.url:
            raise SpecError(f"two indexes for {name}", where=where, hint="keep one of them")

    def _address(self, source: Mapping[str, Any], where: Where) -> str:
        folder = source.get("subdirectory")
        fragment = f"#subdirectory={folder}" if folder else ""
        if git := source.get("git"):
            named = [source[key] for key in ("rev", "tag", "branch") if source.get(key)]
            return f"git+{git}{'@' + str(named[0]) if named else ''}{fragment}"
        if url := source.get("url"):
            return f"{url}{fragment}"
        raise SpecError(
            "an unknown source",
            where=where,
            found=", ".join(source),
            expected="index, git or url",
        )

    def _indexes(self) -> Iterator[UvIndex]:
        entries = self.table.get("index", [])
        if not isinstance(entries, list):
            raise self._wrong("index", entries, "[[tool.uv.index]]")
        for entry in entries:
            if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
                raise self._wrong("index", entry, "an index with a url")
            unread = set(entry) - {"name", "url", "explicit", "default"}
            self.warnings += [
                f"{self._where(entry['url'], 'index')}: '{key}' of this index is ignored"
                for key in sorted(unread)
            ]
            explicit, default = bool(entry.get("explicit")), bool(entry.get("default"))
            yield UvIndex(entry.get("name"), entry["url"], explicit, default)

    def _wrong(self, key: str, found: Any, expected: str) -> SpecError:
        where = self._where(key)
        return SpecError(
            f"'tool.uv.{key}' cannot be read", where=where, found=repr(found), expected=expected
        )

    def _where(self, text: str, table: str | None = None) -> Where:
        short = (table or text).removeprefix("tool.uv.")
        key = f"tool.uv.{short}.{text}" if short in ("sources", "pip") else f"tool.uv.{short}"
        return Where(self.label, self.line(table or "tool.uv", text), key)
