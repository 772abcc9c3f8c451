"""One repository of a registry, over HTTP, with the credentials of ``docker login``.

Protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from freezer.errors import FetchError
from freezer.fetch.http.client import NotFoundError
from freezer.fetch.http.redact import redact
from freezer.fetch.http.transport import same_origin, send, status_of
from freezer.fetch.http.url import join_url, split_url
from freezer.fetch.registry.auth import Authorization, authorize, refusal
from freezer.fetch.registry.body import body_of
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import requests

    from freezer.fetch.config import Config
    from freezer.fetch.registry.reference import Reference

LARGEST = 4 << 20
"""Maximum bytes of a manifest or a config, as in registries themselves."""
_LONGEST_REASON = 500


class Repository:
    """A repository to read from, or to write to if ``writes``; thread-safe."""

    def __init__(
        self, name: Reference, config: Config, *, writes: bool = False, reads: Iterable[str] = ()
    ) -> None:
        """Find the registry's address; ``reads`` are repositories to mount blobs from.

        Raises ``FetchError`` when it cannot be reached.
        """
        self.name = name
        self._writes = writes
        self._scopes = _scopes(name, reads) if writes else ()
        self._guard = threading.Lock()
        self._authorization = Authorization()
        self._root = self._find_root(schemes(name, config))

    def address(self, path: str) -> str:
        """Return the address of ``manifests/…`` or ``blobs/…`` in this repository."""
        return f"{self._root}/v2/{self.name.repository}/{path}"

    def location(self, url: str, response: requests.Response) -> str:
        """Return the next location of an upload from a response. Raises ``FetchError``."""
        location = response.headers.get("Location")
        place = join_url(url, location or "")
        if not location or split_url(place).scheme not in {"https", split_url(self._root).scheme}:
            raise FetchError(
                f"the registry {self.name.registry} does not say where an upload goes on",
                found=redact(place) if location else "no address",
                expected="an address as safe as the registry's own",
                hint="report it to whoever runs the registry",
            )
        return place

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], Any] | None = None,
    ) -> requests.Response:
        """Send a request; return the response of any status after authentication.

        ``body`` is called for each attempt. Raises ``FetchError`` when the connection fails, or
        when credentials are missing.
        """
        shown = self._authorization
        response = self._send(method, url, headers, body, shown)
        if response.status_code != 401 or not self.is_own(url):
            return response
        response.close()
        renewed = self._renew(shown, response, url)
        again = self._send(method, url, headers, body, renewed)
        if again.status_code not in (401, 403) or len(self._scopes) < 2:
            return again
        # The token has fewer scopes than requested: continue without mounting.
        again.close()
        self._scopes = self._scopes[:1]
        return self._send(method, url, headers, body, self._renew(renewed, response, url))

    def require_success(self, response: requests.Response, what: str) -> None:
        """Raise ``FetchError`` with the registry's own reason for an error status.

        ``what`` is the requested document or file, for messages.
        """
        status, registry = response.status_code, self.name.registry
        if response.ok and status < 300:
            return
        if status in (401, 403):
            raise refusal(self.name, writes=self._writes)
        if status == 404:
            raise NotFoundError(
                f"the registry {registry} has no {what}",
                hint="check the name, and the tag or the digest",
            )
        if status == 429:
            raise FetchError(
                f"the registry {registry} limits the rate of requests",
                found=status_of(response),
                hint="wait, or `docker login` for a higher limit",
            )
        reading = response.request.method in ("GET", "HEAD")
        does_not = "does not serve" if reading else "does not accept"
        raise FetchError(
            f"the registry {registry} {does_not} {what}",
            found=f"HTTP {status} {self._reason(response)}".strip(),
            hint="try again later",
        )

    def read(self, path: str, what: str, accept: str = "*/*", limit: int = LARGEST) -> bytes:
        """Return a small document. Raises ``FetchError`` beyond ``limit`` bytes."""
        url = self.address(path)
        with self.request("GET", url, headers={"Accept": accept}) as response:
            self.require_success(response, what)
            return body_of(url, response, limit)

    def _renew(self, shown: Authorization, response: requests.Response, url: str) -> Authorization:
        """Get a new token, unless another thread just did."""
        with self._guard:
            if self._authorization is shown:
                challenge = response.headers.get("WWW-Authenticate", "")
                self._authorization = authorize(
                    self.name, challenge, url, scopes=self._scopes, writes=self._writes
                )
            return self._authorization

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: Callable[[], Any] | None,
        shown: Authorization,
    ) -> requests.Response:
        return send(
            method,
            url,
            headers=headers,
            data=body() if body else None,
            auth=shown if self.is_own(url) else Authorization(),
        )

    def is_own(self, url: str) -> bool:
        """Return whether a URL is the registry's; only then is the token sent."""
        return same_origin(url, self._root)

    def _find_root(self, allowed: tuple[str, ...]) -> str:
        """Return the registry's base URL: plain http only if permitted."""
        for scheme in allowed[:-1]:
            root = f"{scheme}://{self.name.host}"
            self._root = root
            with self._send("GET", f"{root}/v2/", None, None, Authorization()) as response:
                if response.status_code != 400:  # a TLS server's response to plain http
                    return root
        return f"{allowed[-1]}://{self.name.host}"

    @staticmethod
    def _reason(response: requests.Response) -> str:
        """Return the registry's own message, made printable."""
        try:
            first = parse_json(body_of(response.url, response, 1 << 16))["errors"][0]
            location = f"{first['code']}: {first['message']}"
        except (FetchError, ValueError, LookupError, TypeError):
            location = response.reason or ""
        return redact("".join(c for c in location if c.isprintable())[:_LONGEST_REASON])


def schemes(name: Reference, config: Config) -> tuple[str, ...]:
    """Return the permitted schemes: plain http only for loopback or if configured."""
    insecure = name.is_loopback or name.registry in config.insecure_registries
    return ("http", "https") if insecure else ("https",)


def _scopes(name: Reference, reads: Iterable[str]) -> tuple[str, ...]:
    others = (f"repository:{other}:pull" for other in reads if other != name.repository)
    return (f"repository:{name.repository}:pull,push", *others)
