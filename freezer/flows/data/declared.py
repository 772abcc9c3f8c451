"""The data sets that a spec declares, kept by the spec's bytes.

To read and validate a spec takes longer than to look at a small data set. What is kept is used for
the very same bytes, read by the same version of Freezer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer import __version__
from freezer.errors import Where
from freezer.flows.project.environment import environments, load_environment, place
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.flows.project.project import Project

FORMAT: Final = 1
"""Raised when a declaration is kept in another form."""
_MEMO: Final = "data-declared"


@dataclass(frozen=True)
class Declared:
    """One data set as the spec declares it."""

    path: str
    """A folder, a file or a glob, relative to the project."""
    expect: str | None
    """The SHA-256 that it demands, without a prefix."""
    line: int | None
    """Of the spec."""


@dataclass(frozen=True)
class Declarations:
    """All data sets of an environment."""

    environment: str
    spec: str
    """The spec's path as messages show it."""
    sets: Mapping[str, Declared]
    line: int | None
    """Of ``data:`` in the spec."""

    def where(self, name: str | None = None) -> Where:
        """Return where in the spec a data set is declared; without a name, where all are."""
        if name is None:
            return Where(self.spec, self.line, "data")
        return Where(self.spec, self.sets[name].line, f"data.{name}")


def declarations(project: Project, name: str | None) -> Declarations:
    """Return the data sets that an environment's spec declares. Raises ``SpecError``."""
    spec = _spec_file(project.root, name)
    key = None if spec is None else _key(project.root, spec)
    if key is not None and (kept := _read(project.store.get_memo(_MEMO, key))):
        return kept
    found = _declarations(project.root, name)
    if key is not None:
        project.store.put_memo(_MEMO, key, _document(found))
    return found


def _spec_file(root: Path, name: str | None) -> Path | None:
    """Return the spec of an environment where its place alone says which one it is."""
    files = environments(root)
    if name is None and len(files) == 1:
        return next(iter(files.values()))
    return files.get(name) if name else None


def _key(root: Path, spec: Path) -> str | None:
    try:
        data = spec.read_bytes()
    except OSError:
        return None
    return f"{__version__} {spec.relative_to(root)} {digest(data)}"


def _declarations(root: Path, name: str | None) -> Declarations:
    environment = load_environment(root, name)
    sets = {
        one: Declared(spec.path, spec.expect, place(environment, "data", one).line)
        for one, spec in environment.spec.data.items()
    }
    return Declarations(environment.name, environment.shown, sets, place(environment, "data").line)


def _document(found: Declarations) -> dict[str, Any]:
    sets = {name: [one.path, one.expect, one.line] for name, one in found.sets.items()}
    document = {"environment": found.environment, "spec": found.spec, "line": found.line}
    return {"format": FORMAT, **document, "sets": sets}


def _read(document: Any) -> Declarations | None:
    """Return what `_document` made; None for anything else."""
    try:
        if document["format"] != FORMAT:
            return None
        sets = {name: Declared(*one) for name, one in document["sets"].items()}
        found = Declarations(document["environment"], document["spec"], sets, document["line"])
    except (TypeError, KeyError, AttributeError):
        return None
    texts = [found.environment, found.spec, *(one.path for one in sets.values())]
    texts += [one.expect for one in sets.values() if one.expect is not None]
    lines = [one for one in (found.line, *(one.line for one in sets.values())) if one is not None]
    fits = all(isinstance(one, str) for one in texts) and all(type(one) is int for one in lines)
    return found if fits else None
