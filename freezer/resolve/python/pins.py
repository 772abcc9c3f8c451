"""A resolver's pins: candidate files of each, and dependents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.resolve.python.interface import PipRequest

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:==|@)")
_VIA = re.compile(r"#\s*via\s+(?P<names>.*)$")


@dataclass(frozen=True)
class Candidate:
    """One file of a pinned version, as listed by the index."""

    file: str
    url: str
    """May contain credentials."""
    sha256: str | None = None
    size: int | None = None
    """Bytes."""
    dated: bool = False
    """Whether the index has its upload date."""


@dataclass(frozen=True)
class Pin:
    """One package at one version, with its candidate files."""

    name: str
    """Normalised."""
    version: str
    wheels: tuple[Candidate, ...] = ()
    sdist: Candidate | None = None
    direct: Candidate | None = None
    """The file of a URL requirement."""

    @property
    def dated(self) -> bool:
        """Return whether the cut-off was applied to it; a URL is the user's own choice."""
        files = [file for file in (*self.wheels, self.sdist) if file is not None]
        return self.direct is not None or any(file.dated for file in files)


def undated_names(pins: Iterable[Pin], request: PipRequest) -> list[str]:
    """Return packages without an upload date, sorted; without those of conda."""
    return sorted(pin.name for pin in pins if not pin.dated and pin.name not in request.provided)


def parse_edges(text: str) -> dict[str, set[str]]:
    """Return the dependents of each package from a list in ``--annotation-style line``.

    Names are normalised; a package that is only requested has an empty set.
    """
    edges: dict[str, set[str]] = {}
    name = ""
    for line in text.splitlines():
        if match := _PIN.match(line):
            name = canonicalize_name(match["name"])
            edges.setdefault(name, set())
        if name and (via := _VIA.search(line)):
            edges[name] |= {
                canonicalize_name(item.partition("[")[0])
                for item in via["names"].split(", ")
                if not item.startswith("-")
            }
    return edges


def requires(edges: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    """Invert edges: return the dependencies of each package, sorted."""
    return {
        name: tuple(sorted(needed for needed, by in edges.items() if name in by)) for name in edges
    }
