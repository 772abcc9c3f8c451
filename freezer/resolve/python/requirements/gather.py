"""Collects all requirements of a spec's pip half, each with its location."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from freezer.errors import FetchError, SpecError, Where
from freezer.fetch.http.redact import redact, without_credentials
from freezer.fetch.http.url import require_usable, scheme_of
from freezer.fetch.python.settings import IndexOptions, as_url, is_public_index
from freezer.model.spec.faults import Faults
from freezer.resolve.python.git.requirement import GitRequirement, parse_git
from freezer.resolve.python.interface import PipRequirement
from freezer.resolve.python.requirements.file import (
    Line,
    decode,
    numbered,
    read_line,
    read_text,
    single,
)
from freezer.resolve.python.requirements.known_target import KnownTarget
from freezer.resolve.python.requirements.options import parse_options, sha256_of
from freezer.resolve.python.requirements.parse import (
    is_excluded,
    parse_requirement,
    refuse_editable,
)
from freezer.resolve.python.takeover.read import is_lock, read_packages

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping

    from packaging.requirements import Requirement

    from freezer.model.spec.spec import PipSpec
    from freezer.resolve.python.requirements.pyproject import Project
    from freezer.resolve.python.requirements.self_references import Declared, OwnProject
    from freezer.resolve.python.requirements.uv_settings import UvSettings
    from freezer.resolve.python.takeover.pins import LockedPackages

SPEC_FILE = "freeze.yaml"
_OTHER_FORMS = {
    "setup.py": "run `pip-compile setup.py`, or move its install_requires into pyproject.toml",
    "setup.cfg": "move its install_requires into pyproject.toml",
    "Pipfile": "run `pipenv requirements > requirements.txt` and name that file",
    "poetry.lock": "run `poetry export -o requirements.txt` and name that file",
    "environment.yml": "write `conda: environment.yml` instead",
}


@dataclass
class PipRequirements:
    """The pip requirements of a spec. ``lines`` is the data for the lock's digest.

    Without comments and secrets.
    """

    requirements: list[PipRequirement] = field(default_factory=list)
    constraints: list[PipRequirement] = field(default_factory=list)
    overrides: list[PipRequirement] = field(default_factory=list)
    """Requirements that replace all others on the same package."""
    options: IndexOptions = field(default_factory=IndexOptions)
    prereleases: bool = False
    requires_python: list[tuple[str, Where]] = field(default_factory=list)
    git: list[GitRequirement] = field(default_factory=list)
    """Requirements from git, whose markers hold."""
    projects: list[tuple[str, Where]] = field(default_factory=list)
    """Normalised names of the user's own projects, which no index may provide."""
    locked: LockedPackages | None = None
    """The packages of an existing lock, used without resolving; ``requirements`` is then empty."""
    warnings: list[str] = field(default_factory=list)
    lines: list[list[Any]] = field(default_factory=list)


def gather(
    folder: Path,
    spec: PipSpec,
    more: Iterable[tuple[str, Where]] = (),
    more_folder: Path | None = None,
    locked: LockedPackages | None = None,
    known: KnownTarget | None = None,
) -> PipRequirements:
    """Collect all requirements of a spec's pip half, relative to ``folder``.

    ``more`` are further requirement lines with their locations: the pip part of an
    ``environment.yml``, with paths relative to ``more_folder``. ``locked`` are the Python packages
    of a conda lock; ``known`` is the target as far as the spec declares it. Raises ``SpecError``
    with all errors at once, each with its location; ``FetchError`` for a file on a server.
    """
    reader = _Reader(folder, spec, known or KnownTarget())
    try:
        reader.read(more, more_folder or folder, locked)
    except FetchError:
        reader.faults.require_none()  # errors in local files are reported before errors of servers
        raise
    reader.faults.require_none()
    return reader.gathered


class _Reader:
    def __init__(self, folder: Path, spec: PipSpec, known: KnownTarget) -> None:
        self.gathered = PipRequirements()
        self.faults = Faults()
        self._folder = folder
        self._spec = spec
        self._known = known
        self._sdists = {canonicalize_name(name) for name in spec.allow_sdist}
        self._seen: set[tuple[str, bool]] = set()
        self._projects: dict[str, Project] = {}
        """By the file's name in messages."""
        self._own: dict[str, OwnProject] = {}
        """By normalised name."""

    def read(
        self, more: Iterable[tuple[str, Where]], more_folder: Path, locked: LockedPackages | None
    ) -> None:
        for file in self._spec.files:
            if file.endswith(".toml") and not is_lock(file):
                with self.faults.collect():
                    self._open(self._folder / file, file, Where(SPEC_FILE, key="pip.files"))
        for file in self._projects:
            with self.faults.collect():
                self._join_workspace(file)
        for text, where in more:
            self._single(text, where, more_folder)
        for number, text in enumerate(self._spec.requirements):
            self._single(text, Where(SPEC_FILE, key=f"pip.requirements[{number}]"), self._folder)
        for file in self._spec.files:
            with self.faults.collect():
                self._named(file, Where(SPEC_FILE, key="pip.files"))
        with self.faults.collect():
            self._pin_indexes()
        if locked is not None:
            self._lock(locked, Where(SPEC_FILE, key="conda.file"))
        with self.faults.collect():
            self._check_combination()

    def _named(self, file: str, where: Where) -> None:
        path = self._folder / file
        if is_lock(path.name):
            text = read_text(path, file, where)
            found = read_packages(path, text, file, self._spec.extras, self._spec.groups)
            self._lock(found, where)
        elif file.endswith(".toml"):
            if file in self._projects:  # else its fault is noted already
                self.project(path.parent, file)
        else:
            self.file(path, file, where, constraint=False, parents=())

    def _lock(self, locked: LockedPackages, where: Where) -> None:
        found = self.gathered
        if found.locked is not None:
            raise SpecError(
                "two locks; only one can be used",
                where=where,
                found=f"{found.locked.shown}, {locked.shown}",
                hint="keep one of them",
            )
        found.locked = locked
        found.warnings += locked.warnings
        found.lines.append([locked.shown, 2, locked.digest])
        known = found.options
        extra = tuple(url for url in locked.indexes if not is_public_index(url))
        found.options = replace(known, extra_index_urls=(*known.extra_index_urls, *extra))

    def _check_combination(self) -> None:
        """Raise ``SpecError`` for a lock next to requirements, and for extras without a project."""
        found, spec = self.gathered, self._spec
        others = [item.where for item in (*found.requirements, *found.constraints)]
        others += [item.where for item in found.git]
        if found.locked and others:
            raise SpecError(
                f"{found.locked.shown} is a lock and is used as it is",
                where=others[0],
                hint="remove the other entries, or name the file that it was made from instead",
            )
        projects = [file for file in spec.files if file.endswith(".toml") or is_lock(file)]
        if (spec.extras or spec.groups) and not projects:
            raise SpecError(
                "extras and groups need a pyproject.toml, and none is among the files",
                where=Where(SPEC_FILE, key="pip.extras" if spec.extras else "pip.groups"),
                hint="add it: `files: [pyproject.toml]`",
            )

    def _single(self, text: str, where: Where, folder: Path) -> None:
        with self.faults.collect():
            self.line(single(text, where), folder)

    def _open(self, path: Path, label: str, named_at: Where) -> None:
        """Read a project's file, before any requirement that may name the project."""
        from freezer.resolve.python.requirements.pyproject import Project

        project = Project(read_text(path, label, named_at), label, self._known)
        self._projects[label] = project
        if own := project.own():
            self._own[own.name] = own
            self.gathered.projects.append((own.name, Where(label)))

    def _join_workspace(self, label: str) -> None:
        """Give a member of a workspace the root's settings, and refuse a ``uv.toml``."""
        from freezer.resolve.python.requirements.pyproject import Project
        from freezer.resolve.python.requirements.workspace import (
            require_no_uv_toml,
            workspace_root,
        )

        folder = (self._folder / label).parent
        root = workspace_root(folder)
        beside = root.parent if root else folder
        require_no_uv_toml(beside, os.path.relpath(beside / "uv.toml", self._folder))
        if root is not None:
            name = os.path.relpath(root, self._folder)
            whole = self._projects.get(name) or Project(read_text(root, name), name, self._known)
            self._projects[label].uv.root = whole.uv

    def project(self, folder: Path, label: str) -> None:
        """Read what a project needs, and the settings of its tools."""
        project = self._projects[label]
        self.gathered.warnings += [*project.uv.warnings, *project.others.warnings()]
        for refusal in project.others.refusals():
            self.faults.add(refusal)
        if project.requires_python:
            self.gathered.requires_python.append((project.requires_python, Where(label)))
        found = (project.uv.group_python(group) for group in self._spec.groups)
        self.gathered.requires_python += [required for required in found if required]
        declared = project.dependencies(self._spec.extras, self._spec.groups)
        if not declared:
            self.gathered.warnings.append(f"{label}: no dependencies are declared in it")
        self._declared(declared, folder, {project.name: self._spec.extras} if project.name else {})
        root = project.uv.root
        if root is None:
            self._uv_settings(project.uv, folder)
        elif root.label not in self._projects:
            self._uv_settings(root, (self._folder / root.label).parent)

    def _pin_indexes(self) -> None:
        """Note the indexes that single packages are taken from. Raises ``SpecError`` for two."""
        settings = {item.uv.label: item.uv for item in self._projects.values()}
        settings |= {uv.root.label: uv.root for uv in settings.values() if uv.root}
        pinned: dict[str, str] = {}
        for label, uv in settings.items():
            for name, url in uv.pinned.items():
                own = as_url(url, (self._folder / label).parent)
                if pinned.setdefault(name, own) != own:
                    raise SpecError(
                        f"two indexes for {name}",
                        where=Where(label, uv.line("sources", name), f"tool.uv.sources.{name}"),
                        found=f"{redact(pinned[name])}, {redact(own)}",
                        hint="keep one of them",
                    )
        options = self.gathered.options
        self.gathered.options = replace(options, pinned=tuple(sorted(pinned.items())))

    def _declared(
        self, items: Iterable[Declared], folder: Path, extras: Mapping[str, Iterable[str]]
    ) -> None:
        """Read requirements of projects: what is an own project's is replaced, sources applied."""
        from freezer.resolve.python.requirements.self_references import expand

        for item in expand(items, self._own, extras):
            with self.faults.collect():
                found = self._projects.get(item.where.file)
                sourced = found.uv.applied(item) if found else item
                self.line(Line(item.where, sourced.text, (), sourced.text), folder)

    def _uv_settings(self, uv: UvSettings, folder: Path) -> None:
        """Add the constraints, overrides and indexes of ``[tool.uv]``."""
        found = self.gathered
        for item in uv.texts("constraint-dependencies"):
            with self.faults.collect():
                text = uv.applied(item).text
                self.line(Line(item.where, text, (), text), folder, constraint=True)
        for item in uv.texts("override-dependencies"):
            with self.faults.collect():
                text = uv.applied(item).text
                found.overrides.append(
                    PipRequirement(parse_requirement(text, item.where), item.where)
                )
                found.lines.append([item.where.file, 3, without_credentials(text)])
        default = next((item.url for item in uv.indexes if item.default), None)
        table = uv.table
        addresses = [item.url for item in uv.indexes]
        for key in ("index-url", "extra-index-url", "find-links"):
            addresses += _texts(table.get(key))
        for url in addresses:
            where = Where(uv.label, uv.line("tool.uv", url), "tool.uv")
            as_url(url, folder, where)
            with self.faults.collect():
                _require_folder(url, folder, where)
        first = [item.url for item in uv.indexes if not item.explicit and not item.default]
        first += _texts(table.get("extra-index-url"))
        index_url = default or next(iter(_texts(table.get("index-url"))), None)
        old = found.options
        found.options = replace(
            old,
            index_url=as_url(index_url, folder) if index_url else old.index_url,
            first_index_urls=(*old.first_index_urls, *(as_url(url, folder) for url in first)),
            find_links=(
                *old.find_links,
                *(as_url(url, folder) for url in _texts(table.get("find-links"))),
            ),
            no_index=old.no_index or table.get("no-index") is True,
        )
        found.prereleases = found.prereleases or table.get("prerelease") == "allow"

    def file(
        self, path: Path, label: str, named_at: Where, *, constraint: bool, parents: tuple[str, ...]
    ) -> None:
        """Read a file and its includes; a file named twice is read once."""
        if advice := _OTHER_FORMS.get(path.name.replace(".yaml", ".yml")):
            raise SpecError(f"{label} is not a requirements file", where=named_at, hint=advice)
        if is_lock(path.name):
            raise SpecError(
                f"{label} is a lock, not a requirements file",
                where=named_at,
                hint=f"name it alone in {SPEC_FILE}: `pip: {path.name}`",
            )
        if label in parents:
            raise SpecError(
                f"{label} includes itself",
                where=named_at,
                found=redact(" → ".join((*parents, label))),
            )
        if (label, constraint) in self._seen:
            return
        self._seen.add((label, constraint))
        text = _remote(label) if _is_url(label) else read_text(path, label, named_at)
        for number, joined in numbered(text):
            with self.faults.collect():
                if line := read_line(joined, Where(without_credentials(label), number)):
                    self.line(line, path.parent, constraint=constraint, parents=(*parents, label))

    def line(
        self, line: Line, folder: Path, *, constraint: bool = False, parents: tuple[str, ...] = ()
    ) -> None:
        options = parse_options(line)
        self.gathered.lines.append(
            [line.where.file, int(constraint), without_credentials(line.raw)]
        )
        if options.editable and (git := parse_git(options.editable[0], line.where)):
            self.gathered.git.append(git)
            self.gathered.warnings.append(
                f"{line.where}: installed as a wheel of its commit, not to be edited"
            )
            return
        if options.editable:
            raise refuse_editable(options.editable, line.where)
        if line.text:
            self._requirement(line, options, folder, constraint=constraint)
            return
        self._settings(options, line.where, folder)
        for kind, names in ((False, options.requirement), (True, options.constraint)):
            for name in names:
                path, label = self._nested(name, folder, parents, line.where)
                within = kind or constraint
                self.file(path, label, line.where, constraint=within, parents=parents)

    def _nested(
        self, name: str, folder: Path, parents: tuple[str, ...], where: Where
    ) -> tuple[Path, str]:
        """Return a nested file's path, and its name as displayed to the user."""
        if _is_url(name):
            require_usable(name, where)
            return Path(name), name
        if parents and _is_url(parents[-1]):
            address = parents[-1].rpartition("/")[0] + "/" + name
            return Path(address), address
        path = folder / name
        return path, os.path.relpath(path, self._folder)

    def _is_own(self, requirement: Requirement, where: Where) -> bool:
        """Say whether a requirement means one of the spec's own projects, and not an index's.

        Only an exact version or an address in the spec's own list means the published package.
        """
        if canonicalize_name(requirement.name) not in self._own:
            return False
        listed = where.file == SPEC_FILE and (where.key or "").startswith("pip.requirements")
        published = bool(requirement.url) or str(requirement.specifier).startswith("==")
        if not (listed and published):
            return True
        self.gathered.warnings.append(
            f"{where}: {requirement.name} is also the name of a project among `pip: files`; the "
            "published package is installed, because its version is named here"
        )
        return False

    def _requirement(
        self, line: Line, options: Namespace, folder: Path, *, constraint: bool
    ) -> None:
        if is_excluded(line.text, line.where, self._known):
            return
        if not constraint and (git := parse_git(line.text, line.where)):
            self.gathered.git.append(git)
            return
        requirement = parse_requirement(line.text, line.where)
        if options.build_settings:
            self.gathered.warnings.append(
                f"{line.where}: build settings of {requirement.name} are not used: a wheel is "
                "installed as it is"
            )
        item = PipRequirement(requirement, line.where, sha256_of(options.hash, line.where))
        if not constraint and self._is_own(requirement, line.where):
            if options.hash:
                raise SpecError(
                    f"{requirement.name} is a project among `pip: files`, and an index's file of "
                    "that name is asked for",
                    where=line.where,
                    hint="leave the line out, or write NAME==VERSION in the spec's own list",
                )
            from freezer.resolve.python.requirements.self_references import Declared

            self._declared([Declared(line.text, line.where)], folder, {})
            return
        if constraint and requirement.extras:
            # A constraint only limits versions; pip rejects extras here, dropping them is harmless.
            requirement.extras = set()
        (self.gathered.constraints if constraint else self.gathered.requirements).append(item)

    def _settings(self, options: Namespace, where: Where, folder: Path) -> None:
        found = self.gathered
        old = found.options
        for item in options.find_links:
            with self.faults.collect():
                _require_folder(item, folder, where)
        links = tuple(as_url(item, folder, where) for item in options.find_links)
        extra = tuple(as_url(item, folder, where) for item in options.extra_index_url)
        found.options = replace(
            old,
            index_url=as_url(options.index_url, folder, where)
            if options.index_url
            else old.index_url,
            extra_index_urls=(*old.extra_index_urls, *extra),
            find_links=(*old.find_links, *links),
            no_index=old.no_index or options.no_index,
        )
        found.prereleases = found.prereleases or options.pre
        for host in options.trusted_host:
            found.warnings.append(
                f"{where}: --trusted-host {host} is ignored: certificates are always verified"
            )
        self._refuse_source(options.no_binary, where)

    def _refuse_source(self, names: list[str], where: Where) -> None:
        for name in ",".join(names).split(","):
            if name in ("", ":none:") or canonicalize_name(name) in self._sdists:
                continue
            raise SpecError(
                f"--no-binary {name} asks for source distributions",
                where=where,
                hint="remove it to use wheels"
                if name == ":all:"
                else f"allow it in {SPEC_FILE}: `allow-sdist: [{name}]`, or remove it",
            )


def _texts(value: Any) -> list[str]:
    """Return a string or a list of strings of a table as a list."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def _require_folder(name: str, folder: Path, where: Where) -> None:
    """Raise ``SpecError`` for a missing folder of links."""
    if scheme_of(name) or _exists(folder, name):
        return
    raise SpecError(
        f"the folder {name} does not exist",
        where=where,
        hint="paths are relative to the file that names them",
    )


def _exists(folder: Path, name: str) -> bool:
    try:
        return (folder / Path(name).expanduser()).exists()
    except (OSError, RuntimeError, ValueError):  # a name too long, another user's home, a null byte
        return False


def _is_url(name: str) -> bool:
    return scheme_of(name) in ("http", "https")


def _remote(url: str) -> str:
    from freezer.fetch.http.client import get_bytes

    return decode(get_bytes(url, limit=8 << 20))
