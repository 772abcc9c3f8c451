"""Reading what uv answers: a PEP 751 document for the files, an annotated list for the edges."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from freezer.errors import ResolveError
from freezer.fetch.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        """Say whether a cut-off could be held against it; a URL is the user's own choice."""
        files = [file for file in (*self.wheels, self.sdist) if file is not None]
        return self.direct is not None or any(file.dated for file in files)


def parse_pylock(text: str) -> tuple[Pin, ...]:
    """Return the pins of a PEP 751 document. Raises ``ResolveError`` when it is none."""
    try:
        return tuple(_pin(entry) for entry in tomllib.loads(text)["packages"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ResolveError(
            "uv answered in a form that Freezer does not know",
            found=redact(str(error)),
            hint="install the version of uv that Freezer was released with",
        ) from error


def _pin(entry: dict[str, Any]) -> Pin:
    sdist, archive = entry.get("sdist"), entry.get("archive")
    return Pin(
        name=canonicalize_name(entry["name"]),
        # A URL requirement's package may have a version that only its build would tell.
        version=str(entry.get("version", "")),
        wheels=tuple(_candidate(wheel) for wheel in entry.get("wheels", ())),
        sdist=_candidate(sdist) if sdist else None,
        direct=_candidate(archive) if archive else None,
    )


def _candidate(entry: dict[str, Any]) -> Candidate:
    url = str(entry["url"])
    size = entry.get("size")
    name = entry.get("name") or unquote(urlsplit(url).path.rpartition("/")[2])
    sha256 = entry.get("hashes", {}).get("sha256")
    size = size if isinstance(size, int) else None
    return Candidate(str(name), url, sha256, size, dated="upload-time" in entry)


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
