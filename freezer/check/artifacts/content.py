"""The digest of a file's content, where its format hides a clock or an identifier in its bytes."""

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
"""In the order in which they are tried."""
_HEAD: Final = 512


def format_of(name: str, head: bytes) -> Format | None:
    """Return the format of a file by its name and first bytes; None where it is not known."""
    return next((one for one in FORMATS if one.applies(name, head)), None)


def content_digest(path: Path) -> tuple[str, str] | None:
    """Return a file's format and the SHA-256 of its content.

    None for a format that is not known, or a file that is corrupt: its bytes are compared then.
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
