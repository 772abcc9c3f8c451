"""What a resolver answers: pins, the files that would do for each, and who needs whom."""

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
    """One file of a pinned version, as the index describes it."""

    file: str
    url: str
    """May hold credentials."""
    sha256: str | None = None
    size: int | None = None
    """Bytes."""
    dated: bool = False
    """Whether the index says when it was uploaded."""


@dataclass(frozen=True)
class Pin:
    """One package at one version, and the files that would do."""

    name: str
    """Normalised."""
    version: str
    wheels: tuple[Candidate, ...] = ()
    sdist: Candidate | None = None
    direct: Candidate | None = None
    """The file that a URL requirement names."""

    @property
    def dated(self) -> bool:
        """Return whether a cut-off could be compared with it; a URL is the user's own choice."""
        files = [file for file in (*self.wheels, self.sdist) if file is not None]
        return self.direct is not None or any(file.dated for file in files)


def undated_names(pins: Iterable[Pin], request: PipRequest) -> list[str]:
    """Return the packages of which no index tells a date, sorted; none that conda provides."""
    return sorted(pin.name for pin in pins if not pin.dated and pin.name not in request.provided)


def parse_edges(text: str) -> dict[str, set[str]]:
    """Return who needs each package, from a list with ``--annotation-style line``.

    Names are normalised; a package that only the request asks for has an empty set.
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
    """Turn edges round: what each package needs, sorted."""
    return {
        name: tuple(sorted(needed for needed, by in edges.items() if name in by)) for name in edges
    }
