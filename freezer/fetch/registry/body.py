"""Bodies of answers, of which no more is read, and no longer, than they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import FetchError
from freezer.fetch.http import transport
from freezer.fetch.http.client import DOCUMENT, STALLED
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests


def body_of(url: str, answer: requests.Response, limit: int) -> bytes:
    """Return the rest of an answer. Raises ``FetchError`` beyond ``limit`` bytes."""
    parts, size = [], 0
    for part in transport.blocks_of(url, answer, seconds=DOCUMENT, whole=True):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise FetchError(
                f"{redact(url)} is larger than it may be",
                expected=f"at most {limit} bytes",
                hint="choose another image, or have it pushed anew",
            )
    return b"".join(parts)


def blocks_of(url: str, answer: requests.Response) -> Iterator[bytes]:
    """Yield the bytes of an answer. Raises ``FetchError`` when it breaks off or stalls."""
    return transport.blocks_of(url, answer, seconds=STALLED, whole=False)
