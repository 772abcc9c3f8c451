"""The session of ``requests`` that each thread uses: its retries, headers, limits and credentials.

Apart from ``transport``, which imports it with the first request: ``requests`` and ``urllib3`` take
as long to import as a whole command that opens no connection.
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
"""What a request or the reading of its answer can raise."""
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
    """No credentials at all; those of ``~/.netrc`` stay out of it as well."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
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
    """A session that leaves redirects alone: it would read their bodies even to follow none."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return that there is none; ``transport`` follows redirects."""
        del resp
        return None


class _Adapter(GuardedPools, HTTPAdapter):
    """The adapter of ``requests``, with connections whose headers have to come in time."""
