"""All that a spec's pip half asks for, gathered from its lists and files, each with its place."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from freezer.errors import SpecError, Where
from freezer.fetch.http.client import get_bytes
from freezer.fetch.http.redact import without_credentials
from freezer.fetch.python.settings import IndexOptions, as_url
from freezer.resolve.python.interface import PipRequirement
from freezer.resolve.python.requirements.file import Line, decode, lines, read_text, single
from freezer.resolve.python.requirements.options import parse_options, sha256_of
from freezer.resolve.python.requirements.parse import parse_requirement, refuse_editable
from freezer.resolve.python.requirements.pyproject import Project

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable

    from freezer.model.spec.spec import PipSpec

SPEC_FILE = "freeze.yaml"
_OTHER_FORMS = {
    "setup.py": "run `pip-compile setup.py`, or move its install_requires into pyproject.toml",
    "setup.cfg": "move its install_requires into pyproject.toml",
    "Pipfile": "run `pipenv requirements > requirements.txt` and name that file",
    "poetry.lock": "run `poetry export -o requirements.txt` and name that file",
    "uv.lock": "run `uv export -o requirements.txt` and name that file",
    "environment.yml": "write `conda: environment.yml` in place of it",
}


@dataclass
class PipRequirements:
    """What was read; ``lines`` is the question as written, without comments and secrets."""

    requirements: list[PipRequirement] = field(default_factory=list)
    constraints: list[PipRequirement] = field(default_factory=list)
    options: IndexOptions = field(default_factory=IndexOptions)
    prereleases: bool = False
    requires_python: list[tuple[str, Where]] = field(default_factory=list)
    projects: list[tuple[str, Where]] = field(default_factory=list)
    """Normalised names of the projects themselves, which no index may provide."""
    warnings: list[str] = field(default_factory=list)
    lines: list[list[Any]] = field(default_factory=list)


def gather(
    folder: Path,
    spec: PipSpec,
    more: Iterable[tuple[str, Where]] = (),
    more_folder: Path | None = None,
) -> PipRequirements:
    """Read all that a spec names, relative to ``folder``. Raises ``SpecError`` with its place.

    ``more`` are further lines of a requirements file, with their places: the pip part of an
    ``environment.yml``. Paths in them are relative to ``more_folder``.
    """
    reader = _Reader(folder, spec)
    for text, where in more:
        reader.line(single(text, where), more_folder or folder)
    for number, text in enumerate(spec.requirements):
        reader.line(single(text, Where(SPEC_FILE, key=f"pip.requirements[{number}]")), folder)
    projects = [file for file in spec.files if file.endswith(".toml")]
    for file in spec.files:
        where = Where(SPEC_FILE, key="pip.files")
        if file in projects:
            reader.project(folder / file, file, where)
        else:
            reader.file(folder / file, file, where, constraint=False, above=())
    if (spec.extras or spec.groups) and not projects:
        raise SpecError(
            "extras and groups are a pyproject.toml's, and none is among the files",
            where=Where(SPEC_FILE, key="pip.extras" if spec.extras else "pip.groups"),
            hint="add it: `files: [pyproject.toml]`",
        )
    return reader.gathered


class _Reader:
    def __init__(self, folder: Path, spec: PipSpec) -> None:
        self.gathered = PipRequirements()
        self._folder = folder
        self._spec = spec
        self._sdists = {canonicalize_name(name) for name in spec.allow_sdist}
        self._seen: set[tuple[str, bool]] = set()

    def project(self, path: Path, shown: str, asked_by: Where) -> None:
        project = Project(read_text(path, shown, asked_by), shown)
        if project.requires_python:
            self.gathered.requires_python.append((project.requires_python, Where(shown)))
        if project.name:
            self.gathered.projects.append((project.name, Where(shown)))
        for item in project.dependencies(self._spec.extras, self._spec.groups):
            self.line(Line(item.where, item.text, (), item.text), path.parent)

    def file(
        self, path: Path, shown: str, asked_by: Where, *, constraint: bool, above: tuple[str, ...]
    ) -> None:
        """Read one file and those that it names; a file named twice is read once."""
        if advice := _OTHER_FORMS.get(path.name.replace(".yaml", ".yml")):
            raise SpecError(f"{shown} is not a requirements file", where=asked_by, hint=advice)
        if shown in above:
            raise SpecError(
                f"{shown} includes itself", where=asked_by, found=" → ".join((*above, shown))
            )
        if (shown, constraint) in self._seen:
            return
        self._seen.add((shown, constraint))
        text = _remote(shown) if _is_url(shown) else read_text(path, shown, asked_by)
        for line in lines(text, without_credentials(shown)):
            self.line(line, path.parent, constraint=constraint, above=(*above, shown))

    def line(
        self, line: Line, folder: Path, *, constraint: bool = False, above: tuple[str, ...] = ()
    ) -> None:
        options = parse_options(line)
        self.gathered.lines.append(
            [line.where.file, int(constraint), without_credentials(line.raw)]
        )
        if options.editable:
            raise refuse_editable(options.editable, line.where)
        if line.text:
            self._requirement(line, options, constraint)
            return
        self._settings(options, line.where, folder)
        for kind, names in ((False, options.requirement), (True, options.constraint)):
            for name in names:
                path, shown = self._nested(name, folder, above)
                within = kind or constraint
                self.file(path, shown, line.where, constraint=within, above=above)

    def _nested(self, name: str, folder: Path, above: tuple[str, ...]) -> tuple[Path, str]:
        """Return a nested file's path, and its name as the user knows it."""
        if _is_url(name):
            return Path(name), name
        if above and _is_url(above[-1]):
            address = above[-1].rpartition("/")[0] + "/" + name
            return Path(address), address
        path = folder / name
        return path, os.path.relpath(path, self._folder)

    def _requirement(self, line: Line, options: Namespace, constraint: bool) -> None:
        requirement = parse_requirement(line.text, line.where)
        if options.build_settings:
            self.gathered.warnings.append(
                f"{line.where}: build settings of {requirement.name} are not used: a wheel is "
                "installed as it is"
            )
        asked = PipRequirement(requirement, line.where, sha256_of(options.hash, line.where))
        if constraint and requirement.extras:
            # A constraint chooses versions; pip refuses extras here, and to drop them is harmless.
            requirement.extras = set()
        (self.gathered.constraints if constraint else self.gathered.requirements).append(asked)

    def _settings(self, options: Namespace, where: Where, folder: Path) -> None:
        found = self.gathered
        old = found.options
        links = tuple(as_url(item, folder) for item in options.find_links)
        extra = tuple(as_url(item, folder) for item in options.extra_index_url)
        found.options = replace(
            old,
            index_url=as_url(options.index_url, folder) if options.index_url else old.index_url,
            extra_index_urls=(*old.extra_index_urls, *extra),
            find_links=(*old.find_links, *links),
            no_index=old.no_index or options.no_index,
        )
        found.prereleases = found.prereleases or options.pre
        for host in options.trusted_host:
            found.warnings.append(
                f"{where}: --trusted-host {host} is not followed: certificates are always checked"
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


def _is_url(name: str) -> bool:
    return urlsplit(name).scheme in ("http", "https")


def _remote(url: str) -> str:
    return decode(get_bytes(url, limit=8 << 20))
