"""The ``requests`` session of each thread: retries, headers, limits and credentials.

Separate from ``transport``, which imports it with the first request: importing ``requests`` and
``urllib3`` takes as long as a whole command without connections.
"""

from __future__ import annotations

from typing import Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.util.retry import Retry

from freezer import __version__
from freezer.fetch.http.guarded_pools import GuardedPools

__all__ = ["FAILURES", "HTTPBasicAuth", "Unauthenticated", "make_session"]

FAILURES: Final = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
"""Exceptions of a request, or of reading its response."""
_CONNECTING = Retry(
    total=4,
    status=0,
    redirect=0,
    backoff_factor=0.3,
    allowed_methods=("GET", "HEAD"),
    status_forcelist=(),
    respect_retry_after_header=False,
)


class Unauthenticated(AuthBase):
    """No credentials; prevents those of ``~/.netrc`` as well."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request unchanged."""
        return request


def make_session() -> requests.Session:
    """Return a session that keeps connections open."""
    session = _Session()
    session.headers["User-Agent"] = f"freezer/{__version__}"
    adapter = _Adapter(max_retries=_CONNECTING)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class _Session(requests.Session):
    """A session that does not handle redirects: it would read their bodies in any case."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return None; ``transport`` follows redirects."""
        del resp
        return None


class _Adapter(GuardedPools, HTTPAdapter):
    """A ``requests`` adapter whose connections have a time limit for headers."""
