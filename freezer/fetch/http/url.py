"""Parses and joins URLs from others, with uniform errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, unquote_to_bytes, urljoin, urlsplit

from freezer.errors import FetchError, SpecError
from freezer.fetch.http.redact import is_ambiguous, redact

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

    from freezer.errors import Where

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,30}):")
_PATH_END = re.compile(r"[?#]")
_AUTHORITY = re.compile(r"(?<=[a-zA-Z0-9+.-])://(?P<userinfo>[^/?#]*)@")
_LONE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USERINFO_SAFE = ":!&'()*+,;=%~"
"""Characters that RFC 3986 allows in userinfo, including percent-encoded ones."""
_CORRECT = "correct the address where it is written"


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL with a valid ``port``. Raises ``FetchError``."""
    if _CONTROL.search(url):
        raise _not_an_address(url, "a control character in it")
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed on first access
    except ValueError:
        raise _not_an_address(url, "no host and port in it") from None
    return parts


def require_usable(url: str, where: Where | None = None) -> None:
    r"""Refuse an address that tools would read in different ways, or not at all.

    Its host must not depend on where its password ends, nor on whether ``\`` is a ``/`` (as it is
    to browsers and uv, and not to pip). Raises ``SpecError`` with the place where it is written.
    """
    if is_ambiguous(url):
        raise SpecError(
            "the host of this address is not clear: a password may end at the `@` in its path",
            where=where,
            found=redact(url),
            expected="`/`, `?`, `#` and `@` in a password written as %2F, %3F, %23 and %40",
            hint="encode the password; if the `@` belongs to the path, write it as %40",
        )
    try:
        split_url(url)
    except FetchError as error:
        raise SpecError(
            error.what, where=where, found=error.found, expected=error.expected, hint=_CORRECT
        ) from None
    authority = _PATH_END.split(url.partition("://")[2], maxsplit=1)[0].partition("/")[0]
    if "\\" in authority:
        raise SpecError(
            "the host of this address is not clear: it has a backslash before its path",
            where=where,
            found=redact(url),
            expected="a backslash in a password written as %5C",
            hint=_CORRECT,
        )
    if not _is_text(authority.rpartition("@")[0]):
        raise SpecError(
            "the user or the password of this address is not percent-encoded text",
            where=where,
            found=redact(url),
            expected="`%` in a password written as %25",
            hint=_CORRECT,
        )


def _is_text(userinfo: str) -> bool:
    try:
        _decoded(userinfo).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def encoded_path(url: str) -> str:
    """Return an address with every ``@`` of its path percent-encoded: no password ends there."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return scheme + mark + host + slash + path.replace("@", "%40")


def scheme_of(address: str) -> str:
    """Return the scheme of an address, in lower case; empty for a path and anything else."""
    match = _SCHEME.match(address)
    return match[1].lower() if match else ""


def file_name_of(url: str) -> str:
    """Return the last part of a URL's path, decoded; may be empty."""
    return unquote(_PATH_END.split(url, maxsplit=1)[0].rpartition("/")[2])


def split_credentials(url: str) -> tuple[str, tuple[bytes, bytes] | None]:
    """Return a URL without its userinfo, and user and password, which may be empty.

    Percent-encoding is decoded; other characters stand for themselves, non-ASCII as UTF-8.
    """
    match = _AUTHORITY.search(url)
    if match is None or match.start() != url.find("://"):
        return url, None
    user, _, password = match["userinfo"].partition(":")
    bare = f"{url[: match.start()]}://{url[match.end() :]}"
    return bare, (_decoded(user), _decoded(password))


def fill_in(text: str, variable: re.Pattern[str], value: Callable[[re.Match[str]], str]) -> str:
    """Return a text with its variables replaced; values in userinfo are percent-encoded.

    So a password may contain any character, including ``@`` and ``/``.
    """
    spans = [match.span("userinfo") for match in _AUTHORITY.finditer(text)]

    def filled(match: re.Match[str]) -> str:
        inside = any(start <= match.start() < end for start, end in spans)
        return _encoded(value(match)) if inside else value(match)

    return variable.sub(filled, text)


def _decoded(text: str) -> bytes:
    return unquote_to_bytes(text.encode("utf-8", "surrogatepass"))


def _encoded(value: str) -> str:
    """Return a value for userinfo; existing percent-encoding is kept, a lone ``%`` encoded.

    A value that would not decode to text, such as ``per%cent``, is treated as unencoded.
    """
    encoded = _LONE_PERCENT.sub("%25", value) if _is_text(value) else value.replace("%", "%25")
    return quote(encoded.encode("utf-8", "surrogatepass"), safe=_USERINFO_SAFE)


def join_url(base: str, reference: str) -> str:
    """Resolve a reference in a document. Raises ``FetchError``."""
    try:
        return urljoin(base, reference)
    except ValueError:
        raise _not_an_address(reference, "no host and port in it") from None


def _not_an_address(url: str, why: str) -> FetchError:
    return FetchError(
        "this is not a valid address",
        found=f"{redact(url)!r}: {why}",
        expected="a URL such as https://host/path; `/`, `?`, `#` and `@` in a password are written "
        "%2F, %3F, %23 and %40",
        hint="correct it where it is configured, or report it to whoever runs the server",
    )
