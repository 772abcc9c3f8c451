"""Asking a registry what an image is, without pulling it, and believing only what hashes right.

Protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
import urllib3

from freezer.errors import FetchError
from freezer.fetch import manifest as documents
from freezer.fetch.http import NotFoundError, session, unreachable
from freezer.fetch.manifest import ACCEPTED, RemoteImage
from freezer.fetch.redact import redact
from freezer.fetch.reference import parse_reference
from freezer.fetch.registry_auth import Pass, obtain_pass, refusal

if TYPE_CHECKING:
    from freezer.fetch.config import Config
    from freezer.fetch.reference import Reference

_TIMEOUT = (15.0, 60.0)
"""Seconds to connect, and seconds of silence."""
_LARGEST = 4 << 20
"""Bytes of a manifest or a config: what registries accept themselves."""


class Registry:
    """The registries that image names lead to, with the credentials of ``docker login``."""

    def __init__(self, config: Config) -> None:
        self._insecure = frozenset(config.insecure_registries)

    def resolve(self, reference: str, platform: str) -> RemoteImage:
        """Return what an image name means now, for ``linux/amd64`` or ``linux/arm64``.

        Every document is held against its digest. Raises ``SpecError`` for what is no name,
        ``ResolveError`` for an image that cannot be used (another platform, an old format),
        ``FetchError`` when the registry is out of reach or refuses, ``IntegrityError`` when it
        serves other bytes than it was asked for.
        """
        name = parse_reference(reference)
        return _Visit(name, reference, self._schemes(name)).image(platform)

    def _schemes(self, name: Reference) -> tuple[str, ...]:
        insecure = name.is_loopback or name.registry in self._insecure
        return ("http", "https") if insecure else ("https",)


class _Visit:
    """One image being asked for at one registry."""

    def __init__(self, name: Reference, text: str, schemes: tuple[str, ...]) -> None:
        self._name = name
        self._text = text
        self._pass = Pass()
        self._root = self._find_root(schemes)

    def image(self, platform: str) -> RemoteImage:
        data = self._manifest(self._name.digest or self._name.tag)
        if self._name.digest:
            documents.demand_digest(self._text, data, self._name.digest)
        document = documents.read(self._text, data)
        if documents.is_index(document):
            data = self._chosen(document, platform)
            document = documents.read(self._text, data)
            if documents.is_index(document):
                raise documents.malformed(self._text, "an index within an index")
        config = documents.descriptor(self._text, document.get("config"))
        layers = document.get("layers")
        count = len(layers) if isinstance(layers, list) else 0
        blob = self._config(config.digest, platform)
        return documents.image(self._text, documents.sha256(data), count, config.digest, blob)

    def _chosen(self, index: dict[str, Any], platform: str) -> bytes:
        chosen = documents.of_platform(self._text, index, platform)
        data = self._manifest(chosen.digest)
        documents.demand_digest(self._text, data, chosen.digest)
        return data

    def _config(self, digest: str, platform: str) -> bytes:
        data = self._get(f"blobs/{digest}")
        documents.demand_digest(f"the config of {self._text}", data, digest)
        found = documents.platform_of(self._text, data)
        if found != platform:
            raise documents.wrong_platform(self._text, platform, [found])
        return data

    def _manifest(self, what: str) -> bytes:
        return self._get(f"manifests/{what}", accept=", ".join(ACCEPTED))

    def _get(self, path: str, accept: str = "*/*") -> bytes:
        url = f"{self._root}/v2/{self._name.repository}/{path}"
        answer = self._open(url, accept)
        if answer.status_code == 401:
            answer.close()
            challenge = answer.headers.get("WWW-Authenticate", "")
            self._pass = obtain_pass(self._name, challenge, url)
            answer = self._open(url, accept)
        with answer:
            self._demand_success(answer)
            return _body(url, answer)

    def _find_root(self, schemes: tuple[str, ...]) -> str:
        """Return the address at which the registry answers: plain http only where it may."""
        for scheme in schemes[:-1]:
            root = f"{scheme}://{self._name.host}"
            with self._open(f"{root}/v2/") as answer:
                if answer.status_code != 400:  # what a TLS server says to plain http
                    return root
        return f"{schemes[-1]}://{self._name.host}"

    def _open(self, url: str, accept: str = "*/*") -> requests.Response:
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        try:
            return session().get(
                url, headers=headers, auth=self._pass, stream=True, timeout=_TIMEOUT
            )
        except requests.RequestException as error:
            raise unreachable(url, error) from error

    def _demand_success(self, answer: requests.Response) -> None:
        status = answer.status_code
        if status in (401, 403):
            raise refusal(self._name)
        if status == 404:
            raise NotFoundError(
                f"the registry {self._name.registry} has no {self._text}",
                hint="check the name and the tag of `base` in freeze.yaml",
            )
        if status == 429:
            raise FetchError(
                f"the registry {self._name.registry} wants fewer requests",
                found="HTTP 429",
                hint="wait, or `docker login` for a higher limit",
            )
        if not answer.ok:
            raise FetchError(
                f"the registry {self._name.registry} cannot be read",
                found=f"HTTP {status} {redact(answer.reason or '')}".strip(),
                hint="try again later",
            )


def _body(url: str, answer: requests.Response) -> bytes:
    parts, size = [], 0
    try:
        for part in answer.iter_content(1 << 16):
            parts.append(part)
            size += len(part)
            if size > _LARGEST:
                raise FetchError(
                    f"{redact(url)} is larger than it may be",
                    expected=f"at most {_LARGEST} bytes",
                    hint="choose another base, or have it pushed anew",
                )
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise unreachable(url, error) from error
    return b"".join(parts)
