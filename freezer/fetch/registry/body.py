"""Response bodies, read with limits of size and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import FetchError
from freezer.fetch.http import transport
from freezer.fetch.http.client import DOCUMENT, STALLED
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests


def body_of(url: str, response: requests.Response, limit: int) -> bytes:
    """Return the rest of a response. Raises ``FetchError`` beyond ``limit`` bytes."""
    parts, size = [], 0
    for part in transport.blocks_of(url, response, seconds=DOCUMENT, whole=True):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise FetchError(
                f"{redact(url)} is too large",
                expected=f"at most {limit} bytes",
                hint="choose another image, or have it pushed again",
            )
    return b"".join(parts)


def blocks_of(url: str, response: requests.Response) -> Iterator[bytes]:
    """Yield the bytes of a response. Raises ``FetchError`` when it breaks or stalls."""
    return transport.blocks_of(url, response, seconds=STALLED, whole=False)
