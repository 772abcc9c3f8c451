"""``freeze init``: a first spec, from what is there."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freezer.errors import HostError, SpecError, Where
from freezer.fetch.store.atomic import write_atomically
from freezer.flows.project.environment import SPEC_FILE
from freezer.flows.setup.discover import choose_minor, discover
from freezer.frameworks import trainings
from freezer.image.dockerfile import render
from freezer.model.spec.validate import parse_spec

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.setup.discover import Found

_DEBIAN_PYTHON = {"bullseye": "3.9", "bookworm": "3.11", "trixie": "3.13"}
"""Each suite has one Python: https://wiki.debian.org/Python"""


@dataclass(frozen=True)
class Written:
    """The spec that was written."""

    path: Path
    text: str
    notes: tuple[str, ...]


def init(
    project: Path,
    *,
    name: str | None = None,
    base: str | None = None,
    bootstrap: str | None = None,
    python: str | None = None,
    force: bool = False,
) -> Written:
    """Write ``freeze.yaml`` from the requirements files, ``pyproject.toml`` or ``environment.yml``.

    Raises ``HostError`` when there is a spec already and not ``force``, ``SpecError`` when what
    was given cannot stand in one.
    """
    path = project / SPEC_FILE
    if path.exists() and not force:
        raise HostError(
            f"{SPEC_FILE} is there already",
            hint="edit it, or write it anew with `freeze init --force`",
        )
    found = discover(project)
    notes = list(found.notes)
    minor = python or choose_minor(found, _preferred(bootstrap))
    if found.conda is None and bootstrap in _DEBIAN_PYTHON and minor != _DEBIAN_PYTHON[bootstrap]:
        raise SpecError(
            f"Debian {bootstrap} has Python {_DEBIAN_PYTHON[bootstrap]}, not {minor}",
            where=Where(SPEC_FILE, key="python"),
            hint=f"give --python {_DEBIAN_PYTHON[bootstrap]}, another suite, or --base with an "
            f"image that has Python {minor}",
        )
    text = render(
        "spec/freeze.yaml.j2",
        name=name or found.name,
        base=base or _base(found, minor),
        bootstrap=bootstrap,
        python=minor,
        pip_files=found.pip_files,
        conda=found.conda,
        as_of=datetime.now(UTC).strftime("%Y-%m-%dT00:00:00Z"),
    )
    parse_spec(text.encode(), SPEC_FILE, trainings())
    if not found.pip_files and not found.conda:
        notes.append("no requirements were found here; list them under 'pip', or under 'conda'")
    write_atomically(path, text.encode())
    return Written(path, text, tuple(notes))


def _base(found: Found, minor: str) -> str:
    """Return a base: with a Python, or without one where conda brings its own."""
    return "debian:bookworm-slim" if found.conda else f"python:{minor}-slim-bookworm"


def _preferred(bootstrap: str | None) -> str:
    if bootstrap is not None:
        return _DEBIAN_PYTHON.get(bootstrap, "3.11")
    return f"{sys.version_info.major}.{sys.version_info.minor}"
