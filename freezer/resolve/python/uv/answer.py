"""Reading the files of uv's answer: a PEP 751 document."""

from __future__ import annotations

import tomllib
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from freezer.errors import ResolveError
from freezer.fetch.http.redact import redact
from freezer.resolve.python.pins import Candidate, Pin


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
