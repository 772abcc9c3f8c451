"""One repository of one registry, over HTTP, with the credentials of ``docker login``.

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
"""Bytes of a manifest or a config: what registries accept themselves."""
_LONGEST_REASON = 500


class Repository:
    """A repository to be read, or written to where ``writes``; safe for several threads."""

    def __init__(
        self, name: Reference, config: Config, *, writes: bool = False, reads: Iterable[str] = ()
    ) -> None:
        """Find out how the registry is reached; ``reads`` are repositories to mount blobs from.

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

    def location(self, url: str, answer: requests.Response) -> str:
        """Return where an answer to ``url`` sends one to go on. Raises ``FetchError``."""
        said = answer.headers.get("Location")
        place = join_url(url, said or "")
        if not said or split_url(place).scheme not in {"https", split_url(self._root).scheme}:
            raise FetchError(
                f"the registry {self.name.registry} does not say where an upload goes on",
                found=redact(place) if said else "no address",
                expected="an address as safe as the registry's own",
                hint="report it to whoever runs the registry",
            )
        return place

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], Any] | None = None,
    ) -> requests.Response:
        """Return the answer, whatever its status, once the registry let one in.

        ``body`` is called for each attempt. Raises ``FetchError`` when the connection fails, or
        when there are no credentials where some are needed.
        """
        shown = self._authorization
        answer = self._send(method, url, headers, body, shown)
        if answer.status_code != 401 or not self.is_own(url):
            return answer
        answer.close()
        renewed = self._renew(shown, answer, url)
        again = self._send(method, url, headers, body, renewed)
        if again.status_code not in (401, 403) or len(self._scopes) < 2:
            return again
        # The token is good for less than was requested: do without mounting from elsewhere.
        again.close()
        self._scopes = self._scopes[:1]
        return self._send(method, url, headers, body, self._renew(renewed, answer, url))

    def require_success(self, answer: requests.Response, what: str) -> None:
        """Raise ``FetchError`` with the registry's own reason unless it did what it was asked.

        ``what`` is the document or the file that was requested, as the user knows it.
        """
        status, registry = answer.status_code, self.name.registry
        if answer.ok and status < 300:
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
                f"the registry {registry} wants fewer requests",
                found=status_of(answer),
                hint="wait, or `docker login` for a higher limit",
            )
        reading = answer.request.method in ("GET", "HEAD")
        does_not = "does not give" if reading else "does not take"
        raise FetchError(
            f"the registry {registry} {does_not} {what}",
            found=f"HTTP {status} {self._reason(answer)}".strip(),
            hint="try again later",
        )

    def read(self, path: str, what: str, accept: str = "*/*", limit: int = LARGEST) -> bytes:
        """Return a small document. Raises ``FetchError`` beyond ``limit`` bytes."""
        url = self.address(path)
        with self.ask("GET", url, headers={"Accept": accept}) as answer:
            self.require_success(answer, what)
            return body_of(url, answer, limit)

    def _renew(self, shown: Authorization, answer: requests.Response, url: str) -> Authorization:
        """Get a new token, unless another thread just did."""
        with self._guard:
            if self._authorization is shown:
                challenge = answer.headers.get("WWW-Authenticate", "")
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
        """Return whether an address is the registry's: others have no business with its token."""
        return same_origin(url, self._root)

    def _find_root(self, allowed: tuple[str, ...]) -> str:
        """Return the address at which the registry answers: plain http only where it may."""
        for scheme in allowed[:-1]:
            root = f"{scheme}://{self.name.host}"
            self._root = root
            with self._send("GET", f"{root}/v2/", None, None, Authorization()) as answer:
                if answer.status_code != 400:  # what a TLS server says to plain http
                    return root
        return f"{allowed[-1]}://{self.name.host}"

    @staticmethod
    def _reason(answer: requests.Response) -> str:
        """Return the registry's own words, as far as they may be shown."""
        try:
            first = parse_json(body_of(answer.url, answer, 1 << 16))["errors"][0]
            said = f"{first['code']}: {first['message']}"
        except (FetchError, ValueError, LookupError, TypeError):
            said = answer.reason or ""
        return redact("".join(c for c in said if c.isprintable())[:_LONGEST_REASON])


def schemes(name: Reference, config: Config) -> tuple[str, ...]:
    """Return how a registry may be spoken to: plainly only on this machine, or where told so."""
    insecure = name.is_loopback or name.registry in config.insecure_registries
    return ("http", "https") if insecure else ("https",)


def _scopes(name: Reference, reads: Iterable[str]) -> tuple[str, ...]:
    others = (f"repository:{other}:pull" for other in reads if other != name.repository)
    return (f"repository:{name.repository}:pull,push", *others)
