"""HTTP requests of all of Freezer's clients; no other module opens connections.

Bounds what a server may do: the time for headers and body, the waits that it may request, the
targets of redirects, and who receives credentials.

netrc, proxies and certificate bundles are those of the ``requests`` library, hence of the user's
environment (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``, ``~/.netrc``).
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freezer.errors import FetchError
from freezer.fetch.http.redact import hide, redact
from freezer.fetch.http.url import join_url, split_credentials, split_url
from freezer.fetch.http.waiting import tell
from freezer.fetch.http.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests
    from requests.auth import AuthBase

TIMEOUT = (15.0, 60.0)
"""Timeouts in seconds, to connect and between bytes."""
LONGEST_WAIT = 30.0
"""Maximum seconds of a server's ``Retry-After``."""
_ATTEMPTS = 4
"""Maximum retries of reads while a server is unavailable."""
_BUSY = (429, 500, 502, 503, 504)
_REDIRECTS = 10
_WORTH_A_NOTE = 2.0
"""Minimum seconds of a wait that is reported to the user."""
_BLOCK = 1 << 16
_SECRET = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Headers that are sent to one host only."""
_local = threading.local()


class BrokenOffError(FetchError):
    """No connection, or it broke; another attempt may help."""


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: Any = None,
    auth: AuthBase | None = None,
) -> requests.Response:
    """Send a request; return the response of any status, its body unread.

    Credentials are ``auth``, else those in the URL, else those of ``~/.netrc``. Only reads (GET and
    HEAD) are repeated while a server is busy, and only they follow redirects; credentials are never
    sent to another host. Raises ``BrokenOffError`` when the connection fails, ``FetchError`` for an
    invalid URL.
    """
    from freezer.fetch.http.session import HTTPBasicAuth, Unauthenticated

    reads = method in ("GET", "HEAD")
    bare, given = split_credentials(url)
    # The user may have credentials for the other host in netrc; registry clients use none.
    kept = None if auth is None else Unauthenticated()
    if auth is None and given is not None:
        auth = HTTPBasicAuth(*given)
    if not reads:
        return _request_once(method, bare, headers, data, auth)
    response, waited = _follow(method, bare, headers, auth, kept), 0.0
    for attempt in range(_ATTEMPTS):
        pause = _pause(response, attempt)
        if response.status_code not in _BUSY or waited + pause > LONGEST_WAIT:
            break
        response.close()
        _wait(bare, response, pause)
        waited += pause
        response = _follow(method, bare, headers, auth, kept)
    return response


def retry_after(response: requests.Response) -> float | None:
    """Return the seconds of ``Retry-After``; None when missing or malformed."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal() and len(value) < 10:
        return float(value)
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def status_of(response: requests.Response) -> str:
    """Return the status as text, with the wait that a busy server requests."""
    words = f"HTTP {response.status_code} {redact(response.reason or '')}".strip()
    wait = retry_after(response) if response.status_code in _BUSY else None
    return words if wait is None else f"{words}; the server requests a wait of {wait:.0f} seconds"


def blocks_of(
    url: str, response: requests.Response, *, seconds: float, whole: bool, size: int = _BLOCK
) -> Iterator[bytes]:
    """Yield the bytes of a response.

    All of them within ``seconds`` if ``whole``, else each block. Raises ``BrokenOffError`` when the
    connection breaks, ``TooSlowError`` when the time is over.
    """
    from freezer.fetch.http.session import FAILURES

    with Watchdog(response.raw, seconds) as watchdog:
        try:
            for block in response.iter_content(size):
                yield block
                if not whole:
                    watchdog.feed()
        except FAILURES as error:
            watchdog.check(redact(url))
            raise unreachable(url, error) from error
        watchdog.check(redact(url))


def unreachable(url: str, error: Exception) -> BrokenOffError:
    """Return the error for a URL that could not be read."""
    return BrokenOffError(
        f"could not read {redact(url)}",
        found=hide(_reason(error), url),
        hint="check the network and the sources in the configuration (`freeze doctor`)",
    )


def content_length(response: requests.Response) -> int | None:
    """Return the announced number of bytes; None when missing or malformed."""
    value = response.headers.get("Content-Length", "").strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else None


def same_origin(one: str, other: str) -> bool:
    """Return whether two URLs have the same scheme, host and port."""
    return split_url(one)[:2] == split_url(other)[:2]


def _follow(
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    auth: AuthBase | None,
    other_auth: AuthBase | None,
) -> requests.Response:
    """Read, following redirects; at another host ``other_auth`` authenticates.

    ``requests`` would read the bodies of redirects completely and keep headers.
    """
    from freezer.fetch.http.session import Unauthenticated

    for _ in range(_REDIRECTS):
        response = _request_once(method, url, headers, None, auth)
        if not response.is_redirect:
            return response
        response.close()
        following = _location(url, response)
        if not same_origin(url, following):
            auth = other_auth
            if url.startswith("https:") and not following.startswith("https:"):
                auth = Unauthenticated()  # credentials of netrc are not sent unencrypted either
            headers = {k: v for k, v in (headers or {}).items() if k.lower() not in _SECRET}
        url = following
    raise FetchError(f"{redact(url)} redirects endlessly", hint="report it to whoever runs it")


def _location(url: str, response: requests.Response) -> str:
    """Return a redirect's target without credentials, which a server may not supply."""
    place = response.headers["Location"].encode("latin-1", "replace").decode("utf-8", "replace")
    following, _ = split_credentials(join_url(url, place))
    if split_url(following).scheme not in ("http", "https"):
        raise FetchError(
            f"{redact(url)} redirects to something other than a server",
            found=redact(following),
            hint="do not use that server until you know why",
        )
    return following


def _request_once(
    method: str, url: str, headers: Mapping[str, str] | None, data: Any, auth: AuthBase | None
) -> requests.Response:
    parts = split_url(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchError(
            f"{redact(url)} cannot be read",
            expected="an http, https or file address",
            hint="correct it where it is configured",
        )
    from freezer.fetch.http.session import FAILURES

    try:
        return _session().request(
            method,
            url,
            headers={"Accept-Encoding": "identity", **(headers or {})},
            data=data,
            auth=auth,
            stream=True,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except (*FAILURES, ValueError) as error:
        raise unreachable(url, error) from error


def _session() -> requests.Session:
    """Return this thread's session, which keeps connections open."""
    current: requests.Session | None = getattr(_local, "session", None)
    if current is None:
        from freezer.fetch.http.session import make_session

        current = _local.session = make_session()
    return current


def _pause(response: requests.Response, attempt: int) -> float:
    requested = retry_after(response)
    return 0.3 * 2**attempt if requested is None else requested


def _wait(url: str, response: requests.Response, seconds: float) -> None:
    if seconds >= _WORTH_A_NOTE:
        host = split_url(url).hostname
        tell(f"{host} is busy (HTTP {response.status_code}); waiting {seconds:.0f} s as requested")
    time.sleep(seconds)


def _reason(error: BaseException) -> str:
    cause = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return str(cause) or type(error).__name__
