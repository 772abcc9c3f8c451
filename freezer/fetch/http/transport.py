"""One request over HTTP: the only place that opens connections, for all of Freezer's clients.

What a server may do to a client is bounded here: how long it may take for headers and for a body,
how long it may ask to wait, where it may redirect to, and who gets to see credentials.

netrc, proxies and certificate bundles are those of the ``requests`` library, hence of the user's
environment (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``, ``~/.netrc``). That library takes long to
import, and most commands open no connection: all that needs it is in ``session``, imported with
the first request.
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
"""Seconds to connect, and seconds of silence."""
LONGEST_WAIT = 30.0
"""Seconds that a server may ask to wait (``Retry-After``) before the next attempt."""
_ATTEMPTS = 4
"""Further ones after the first, of reads that a server could not answer for now."""
_BUSY = (429, 500, 502, 503, 504)
_REDIRECTS = 10
_WORTH_A_NOTE = 2.0
"""Seconds of waiting that the user should know of."""
_BLOCK = 1 << 16
_SECRET = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Headers that are meant for one host."""
_local = threading.local()


class BrokenOffError(FetchError):
    """There was no connection, or it broke off; another attempt may help."""


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: Any = None,
    auth: AuthBase | None = None,
) -> requests.Response:
    """Return the answer, whatever its status; its body is not read yet.

    Credentials are ``auth``, else those in the address, else those of ``~/.netrc``. Only reads (GET
    and HEAD) are repeated while a server is busy, and only they follow redirects; another host
    never gets what was meant for the first. Raises ``BrokenOffError`` when
    the connection fails, ``FetchError`` for what is no address.
    """
    from freezer.fetch.http.session import HTTPBasicAuth, Unauthenticated

    reads = method in ("GET", "HEAD")
    bare, given = split_credentials(url)
    # The user may have credentials for the other host in netrc; a registry's client uses none.
    kept = None if auth is None else Unauthenticated()
    if auth is None and given is not None:
        auth = HTTPBasicAuth(*given)
    if not reads:
        return _once(method, bare, headers, data, auth)
    answer, waited = _follow(method, bare, headers, auth, kept), 0.0
    for attempt in range(_ATTEMPTS):
        pause = _pause(answer, attempt)
        if answer.status_code not in _BUSY or waited + pause > LONGEST_WAIT:
            break
        answer.close()
        _wait(bare, answer, pause)
        waited += pause
        answer = _follow(method, bare, headers, auth, kept)
    return answer


def asked_to_wait(answer: requests.Response) -> float | None:
    """Return the seconds that a server asks to wait; None when it does not, or not legibly."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal() and len(value) < 10:
        return float(value)
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def status_of(answer: requests.Response) -> str:
    """Return the status in words, and what the server asks for if it is busy."""
    words = f"HTTP {answer.status_code} {redact(answer.reason or '')}".strip()
    wait = asked_to_wait(answer) if answer.status_code in _BUSY else None
    return words if wait is None else f"{words}; the server asks to wait {wait:.0f} seconds"


def blocks_of(
    url: str, answer: requests.Response, *, seconds: float, whole: bool, size: int = _BLOCK
) -> Iterator[bytes]:
    """Yield the bytes of an answer.

    All of them within ``seconds`` if ``whole``, else each block. Raises ``BrokenOffError`` when the
    connection breaks off, ``TooSlowError`` when the time is over.
    """
    from freezer.fetch.http.session import FAILURES

    with Watchdog(answer.raw, seconds) as watchdog:
        try:
            for block in answer.iter_content(size):
                yield block
                if not whole:
                    watchdog.feed()
        except FAILURES as error:
            watchdog.check(redact(url))
            raise unreachable(url, error) from error
        watchdog.check(redact(url))


def unreachable(url: str, error: Exception) -> BrokenOffError:
    """Return the error for an address that could not be read."""
    return BrokenOffError(
        f"could not read {redact(url)}",
        found=hide(_reason(error), url),
        hint="check the network and the sources in the configuration (`freeze doctor`)",
    )


def content_length(answer: requests.Response) -> int | None:
    """Return the bytes that an answer announces; None when it does not say, or not in digits."""
    value = answer.headers.get("Content-Length", "").strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else None


def same_origin(one: str, other: str) -> bool:
    """Return whether two addresses are of one server: scheme, host and port."""
    return split_url(one)[:2] == split_url(other)[:2]


def _follow(
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    auth: AuthBase | None,
    elsewhere: AuthBase | None,
) -> requests.Response:
    """Read, and go where the answer redirects to; at another host ``elsewhere`` authenticates.

    ``requests`` would read the bodies of redirects whole, however large, and would keep headers.
    """
    from freezer.fetch.http.session import Unauthenticated

    for _ in range(_REDIRECTS):
        answer = _once(method, url, headers, None, auth)
        if not answer.is_redirect:
            return answer
        answer.close()
        following = _location(url, answer)
        if not same_origin(url, following):
            auth = elsewhere
            if url.startswith("https:") and not following.startswith("https:"):
                auth = Unauthenticated()  # what netrc has is not sent in the open either
            headers = {k: v for k, v in (headers or {}).items() if k.lower() not in _SECRET}
        url = following
    raise FetchError(f"{redact(url)} redirects without end", hint="report it to whoever runs it")


def _location(url: str, answer: requests.Response) -> str:
    """Return where a redirect leads, without credentials: a server cannot hand out any."""
    place = answer.headers["Location"].encode("latin-1", "replace").decode("utf-8", "replace")
    following, _ = split_credentials(join_url(url, place))
    if split_url(following).scheme not in ("http", "https"):
        raise FetchError(
            f"{redact(url)} redirects to something else than a server",
            found=redact(following),
            hint="do not use that server until you know why",
        )
    return following


def _once(
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


def _pause(answer: requests.Response, attempt: int) -> float:
    asked = asked_to_wait(answer)
    return 0.3 * 2**attempt if asked is None else asked


def _wait(url: str, answer: requests.Response, seconds: float) -> None:
    if seconds >= _WORTH_A_NOTE:
        host = split_url(url).hostname
        tell(f"{host} is busy (HTTP {answer.status_code}); waiting {seconds:.0f} s as it asks")
    time.sleep(seconds)


def _reason(error: BaseException) -> str:
    cause = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return str(cause) or type(error).__name__
