"""Addresses that someone else wrote: taken apart and joined with one way to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from freezer.errors import FetchError
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from urllib.parse import SplitResult


def split_url(url: str) -> SplitResult:
    """Return the parts of an address; ``port`` can be read. Raises ``FetchError``."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed when it is first read
    except ValueError as error:
        raise _not_an_address(url, error) from None
    return parts


def join_url(base: str, reference: str) -> str:
    """Return the address that a reference in a document means. Raises ``FetchError``."""
    try:
        return urljoin(base, reference)
    except ValueError as error:
        raise _not_an_address(reference, error) from None


def _not_an_address(url: str, error: ValueError) -> FetchError:
    return FetchError(
        "this is not an address",
        found=f"{redact(url)!r}: {redact(str(error))}",
        expected="a URL such as https://host/path",
        hint="correct it where it is configured, or report it to whoever runs the server",
    )
