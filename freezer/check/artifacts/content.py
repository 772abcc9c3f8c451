"""Content digest of a file whose format has a clock or an identifier in its bytes."""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from freezer.check.artifacts import (
    archives,
    arrays,
    duckdb,
    events,
    hdf5,
    messages,
    models,
    pickles,
)
from freezer.check.artifacts.archives import ERRORS

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.check.artifacts.description import Format

FORMATS: Final[tuple[Format, ...]] = (
    *models.FORMATS,
    *messages.FORMATS,
    *events.FORMATS,
    *hdf5.FORMATS,
    *duckdb.FORMATS,
    *arrays.FORMATS,
    *pickles.FORMATS,
    *archives.FORMATS,
)
"""In order of detection."""
_HEAD: Final = 512


def format_of(name: str, head: bytes) -> Format | None:
    """Return the format of a file by its name and first bytes; None when unknown."""
    return next((one for one in FORMATS if one.applies(name, head)), None)


def content_digest(path: Path) -> tuple[str, str] | None:
    """Return a file's format and the SHA-256 of its content.

    None for an unknown format or a corrupt file, whose bytes are compared instead.
    """
    try:
        with path.open("rb") as stream:
            found = format_of(PurePath(path).name, stream.read(_HEAD))
            if found is None:
                return None
            stream.seek(0)
            hasher = hashlib.sha256(f"{found.name}\n".encode())
            for name, data in found.parts(stream):
                hasher.update(f"{len(name.encode())} {name} {len(data)}\n".encode())
                hasher.update(data)
    except ERRORS:
        return None
    return found.name, hasher.hexdigest()
