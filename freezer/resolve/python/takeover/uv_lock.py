"""``uv.lock``: the packages that uv would install for a target, extras and groups.

uv documents no format; this follows version 1 as written by uv 0.5 to 0.13. A newer version is an
error.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import BaseModel, Field, ValidationError

from freezer.errors import ResolveError, SpecError, Where
from freezer.model.canonical import digest
from freezer.model.parsing import TomlError, parse_toml
from freezer.resolve.python.markers import marker_holds
from freezer.resolve.python.pins import Pin
from freezer.resolve.python.tags import marker_environment
from freezer.resolve.python.takeover.pins import (
    LockedPin,
    Refusals,
    address_problem,
    candidate,
    full_commit,
    git_pin,
)
from freezer.resolve.python.takeover.uv_project import changed_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from freezer.model.lock import Target
    from freezer.resolve.python.git.requirement import GitRequirement
    from freezer.resolve.python.pins import Candidate

_KINDS = {
    "git": "version control",
    "editable": "a folder",
    "virtual": "a folder",
    "directory": "a folder",
    "path": "a file of this machine",
}
_WITHOUT_MEMBERS = (
    "`uv export --no-emit-workspace --format pylock.toml -o pylock.toml` writes a lock of what the "
    "members need without the members themselves; copy their code as `smoke.files`"
)
_OWN = frozenset({"editable", "virtual"})
_CONFLICT = re.compile(r"extra\s*(?P<sign>==|!=)\s*(?P<quote>['\"])(?P<name>.*?)(?P=quote)")
"""uv's markers of entries for one of several conflicting extras or groups."""


class _File(BaseModel):
    url: str | None = None
    hash: str = ""
    size: int | None = None

    @property
    def sha256(self) -> str | None:
        match = re.fullmatch(r"sha256:([0-9a-f]{64})", self.hash)
        return match[1] if match else None


class _Edge(BaseModel):
    """A dependency of a package."""

    name: str
    version: str | None = None
    """Only where the lock has several."""
    source: dict[str, str] | None = None
    marker: str = ""
    extra: list[str] = []


class _Metadata(BaseModel):
    extras: list[str] = Field(default=[], alias="provides-extras")
    groups: dict[str, Any] = Field(default={}, alias="requires-dev")
    requires: list[dict[str, Any]] = Field(default=[], alias="requires-dist")


class _Package(BaseModel):
    name: str
    version: str | None = None
    source: dict[str, str]
    dependencies: list[_Edge] = []
    extras: dict[str, list[_Edge]] = Field(default={}, alias="optional-dependencies")
    groups: dict[str, list[_Edge]] = Field(default={}, alias="dev-dependencies")
    metadata: _Metadata = _Metadata()
    sdist: _File | None = None
    wheels: list[_File] = []


class _Manifest(BaseModel):
    """What uv was told beyond requirements."""

    overrides: list[_Edge] = []
    excludes: list[str] = []


class _Document(BaseModel):
    requires_python: str = Field(default="", alias="requires-python")
    packages: list[_Package] = Field(alias="package", min_length=1)
    manifest: _Manifest = _Manifest()
    supported: list[str] = Field(default=[], alias="supported-markers")


@dataclass(frozen=True)
class UvPackages:
    """The packages of a ``uv.lock``."""

    shown: str
    digest: str
    document: _Document
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def indexes(self) -> tuple[str, ...]:
        """The registries in the lock, without duplicates."""
        found = (entry.source.get("registry") for entry in self.document.packages)
        return tuple(dict.fromkeys(url for url in found if url and "://" in url))

    @property
    def overrides(self) -> tuple[str, ...]:
        """Packages whose requirements uv was told to replace or to leave out."""
        manifest = self.document.manifest
        names = [*(item.name for item in manifest.overrides), *manifest.excludes]
        return tuple(sorted(set(map(canonicalize_name, names))))

    def next_to(self, folder: Path) -> UvPackages:
        """Return the same with a warning where the project in ``folder`` has changed since."""
        own = [e for e in self.document.packages if any(e.source.get(k) == "." for k in _OWN)]
        locked = own[0].metadata.requires if len(own) == 1 else None
        changed = changed_requirements(locked, folder / "pyproject.toml") if locked else ()
        if not changed:
            return self
        warning = (
            f"{self.shown} was made before pyproject.toml required {', '.join(changed)}, and is "
            "used as it is; run `uv lock` to have that too"
        )
        return replace(self, warnings=(warning,))

    def pins(self, target: Target) -> tuple[LockedPin, ...]:
        """Return the packages for a target. Raises ``SpecError``, ``ResolveError``."""
        self._require_python(target)
        self._require_supported(target)
        walk = _Walk(self, target)
        walk.run()
        return walk.pins()

    def _require_supported(self, target: Target) -> None:
        """Refuse a lock that uv made for other environments (``tool.uv.environments``) alone."""
        try:
            holds = [
                marker_holds(Marker(text), marker_environment(target))
                for text in self.document.supported
            ]
        except InvalidMarker as error:
            raise _broken(self.shown, f"supported-markers: {error}") from error
        if holds and not any(holds):
            raise ResolveError(
                "the lock is not for this target",
                where=Where(self.shown, key="supported-markers"),
                found=", ".join(self.document.supported),
                expected=f"Linux, Python {target.python.version}, {target.architecture}",
                hint="add the target to `tool.uv.environments`, and run `uv lock`",
            )

    def _require_python(self, target: Target) -> None:
        text = self.document.requires_python
        try:
            fits = SpecifierSet(text).contains(target.python.version, prereleases=True)
        except InvalidSpecifier as error:
            raise _broken(self.shown, f"requires-python = {text!r}") from error
        if not fits:
            raise ResolveError(
                "the lock is not for this Python",
                where=Where(self.shown),
                found=f"Python {target.python.version}",
                expected=f"Python {text}",
                hint="set another `python:` in the spec, or a base that has it",
            )


def read_uv_lock(text: str, shown: str, extras: Sequence[str], groups: Sequence[str]) -> UvPackages:
    """Return the packages of a ``uv.lock``. Raises ``SpecError`` for a file that is none."""
    try:
        document = parse_toml(text)
    except TomlError as error:
        raise SpecError("not valid TOML", where=Where(shown), found=str(error)) from error
    if document.get("version") != 1:
        raise SpecError(
            "a uv.lock of an unknown version",
            where=Where(shown, key="version"),
            found=repr(document.get("version")),
            expected="1",
            hint="export it: `uv export --format pylock.toml -o pylock.toml`, and name that file",
        )
    try:
        parsed = _Document.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise _broken(shown, f"{place}: {first['msg']}") from None
    key = digest(f"{text}\0{sorted(extras)}\0{sorted(groups)}".encode())
    normalized = tuple(canonicalize_name(extra) for extra in extras)
    return UvPackages(shown, key, parsed, normalized, tuple(map(canonicalize_name, groups)))


@dataclass
class _Walk:
    """Traversal from the project to all its dependencies for a target."""

    lock: UvPackages
    target: Target
    _by_name: dict[str, list[_Package]] = field(default_factory=dict)
    _needs: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Dependency names of each package, by the entry's identity."""
    _requested: set[int] = field(default_factory=set)
    _found: dict[int, _Package] = field(default_factory=dict)
    _active: set[str] = field(default_factory=set)
    """uv's names of the active extras and groups, for conflict markers."""

    def run(self) -> None:
        """Find all packages to install. Raises ``SpecError``."""
        for entry in self.lock.document.packages:
            self._by_name.setdefault(canonicalize_name(entry.name), []).append(entry)
        root = self._root()
        name, extras, groups = canonicalize_name(root.name), self.lock.extras, self.lock.groups
        self._active = {f"extra-{len(name)}-{name}-{extra}" for extra in extras}
        self._active |= {f"group-{len(name)}-{name}-{group}" for group in groups}
        self._active |= {f"project-{len(name)}-{name}"}
        edges = [*root.dependencies]
        edges += self._listed("extra", extras, root.extras, root.metadata.extras)
        edges += self._listed("dependency group", groups, root.groups, root.metadata.groups)
        seen = {(id(root), "")}
        waiting = [(root, edge) for edge in edges]
        while waiting:
            parent, edge = waiting.pop()
            if not self._applies(edge.marker):
                continue
            entry = self._entry(edge)
            if entry is not root:
                self._found.setdefault(id(entry), entry)
                self._needs[id(parent)].add(canonicalize_name(entry.name))
                if parent is root:
                    self._requested.add(id(entry))
            waiting += self._more(entry, edge, seen)

    def pins(self) -> tuple[LockedPin, ...]:
        """Return the packages found. Raises ``SpecError`` for those that cannot be used."""
        refusals = Refusals(self.lock.shown)
        pins = [pin for entry in self._found.values() if (pin := self._pin(entry, refusals))]
        refusals.require_none()
        names = Counter(pin.pin.name for pin in pins)
        for name in (name for name, count in names.items() if count > 1):
            raise _broken(self.lock.shown, f"several versions of {name} for one target")
        return tuple(pins)

    def _root(self) -> _Package:
        """Return the project of the lock."""
        packages = self.lock.document.packages
        own = [e for e in packages if any(e.source.get(kind) == "." for kind in _OWN)]
        if len(own) == 1:
            return own[0]
        raise SpecError(
            "a uv.lock without one project in its own folder",
            where=Where(self.lock.shown),
            found=f"{len(own)} packages at '.'",
            hint="a workspace has several projects; export the intended one: `uv export "
            "--package NAME --no-emit-workspace --format pylock.toml -o pylock.toml`",
        )

    def _listed(
        self,
        kind: str,
        names: Iterable[str],
        locked: Mapping[str, list[_Edge]],
        declared: Iterable[str],
    ) -> Iterator[_Edge]:
        """Yield dependencies of extras or groups; ``declared`` includes those without any."""
        table = {canonicalize_name(name): edges for name, edges in locked.items()}
        known = {*table, *map(canonicalize_name, declared)}
        for name in names:
            if name not in known:
                raise SpecError(
                    f"the lock has no {kind} {name!r}",
                    where=Where(self.lock.shown),
                    found=", ".join(sorted(known)) or "none",
                    hint="lock it with that too, or remove it from the spec",
                )
            yield from table.get(canonicalize_name(name), [])

    def _more(
        self, entry: _Package, edge: _Edge, seen: set[tuple[int, str]]
    ) -> Iterator[tuple[_Package, _Edge]]:
        """Yield the edges of a package and its extras that were not visited yet."""
        lists = {"": entry.dependencies}
        lists |= {extra: entry.extras.get(extra, []) for extra in edge.extra}
        for extra, edges in lists.items():
            if (id(entry), extra) not in seen:
                seen.add((id(entry), extra))
                yield from ((entry, item) for item in edges)

    def _entry(self, edge: _Edge) -> _Package:
        found = [
            entry
            for entry in self._by_name.get(canonicalize_name(edge.name), [])
            if edge.version in (None, entry.version) and edge.source in (None, entry.source)
        ]
        if len(found) != 1:
            raise _broken(self.lock.shown, f"{edge.name} is needed, and {len(found)} of it locked")
        return found[0]

    def _applies(self, marker: str) -> bool:
        if not marker:
            return True

        def known(match: re.Match[str]) -> str:
            holds = (match["name"] in self._active) == (match["sign"] == "==")
            return "os_name == 'posix'" if holds else "os_name == 'other'"

        try:
            parsed = Marker(_CONFLICT.sub(known, marker))
        except InvalidMarker as error:
            raise _broken(self.lock.shown, f"the marker {marker!r}") from error
        return marker_holds(parsed, marker_environment(self.target))

    def _pin(self, entry: _Package, refusals: Refusals) -> LockedPin | None:
        name, url = canonicalize_name(entry.name), entry.source.get("url")
        requires = tuple(sorted(self._needs[id(entry)]))
        is_requested = id(entry) in self._requested
        if "lfs=true" in entry.source.get("git", "").partition("?")[2]:
            refusals.add(name, entry.version, "from git with large files (LFS), which are not read")
            return None
        if git := self._git(name, entry.source.get("git")):
            return git_pin(
                name, entry.version or "", git, requires=requires, requested=is_requested
            )
        if not url and "registry" not in entry.source:
            kind, address = next(iter(entry.source.items()), ("nothing", ""))
            if _KINDS.get(kind) == "a folder":
                refusals.hint = _WITHOUT_MEMBERS
            refusals.add(name, entry.version, f"from {_KINDS.get(kind, kind)} ({address})")
            return None
        wheels = [self._file(file, url) for file in entry.wheels]
        files = tuple(file for file in wheels if file)
        sdist = self._file(entry.sdist, url) if entry.sdist else None
        if not files and sdist is None:
            refusals.add(name, entry.version, "without a file that has an address and a SHA-256")
            return None
        pin = Pin(name, entry.version or "", wheels=files, sdist=sdist)
        if url:
            pin = Pin(name, entry.version or "", direct=files[0] if files else sdist)
        return LockedPin(pin, Where(self.lock.shown), requires, is_requested)

    def _git(self, name: str, address: str | None) -> GitRequirement | None:
        """Parse uv's ``https://HOST/X.git?subdirectory=D&rev=R#COMMIT``."""
        if address is None:
            return None
        url, _, commit = address.partition("#")
        url, _, query = url.partition("?")
        folder = parse_qs(query).get("subdirectory", [""])[0]
        below = f"#subdirectory={folder}" if folder else ""
        return full_commit(name, f"git+{url}@{commit}{below}", Where(self.lock.shown))

    @staticmethod
    def _file(file: _File, direct: str | None) -> Candidate | None:
        url = direct or file.url
        if url is None or address_problem(url, file.sha256):
            return None
        return candidate(url, file.sha256, file.size)


def _broken(shown: str, found: str) -> SpecError:
    return SpecError(
        "not a valid uv.lock",
        where=Where(shown),
        found=found,
        hint="regenerate it with `uv lock`, or export it: `uv export --format pylock.toml`",
    )
