"""What registries and token servers send, and what Docker stores of them."""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import requests

from freezer.errors import FetchError
from freezer.fetch.config import Config
from freezer.fetch.http import transport
from freezer.fetch.registry import auth, referrers
from freezer.fetch.registry import manifest as documents
from freezer.fetch.registry.inspect import describe
from freezer.fetch.registry.push import _reached
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.repository import Repository
from tests.support.fuzz import Target, hold
from tests.support.registry.registries import (
    INDEX,
    MANIFEST,
    as_json,
    make_config,
    make_manifest,
    pointer,
)

NAME = "registry.example/team/image:tag"
REFERENCE = parse_reference(NAME)
LAYERS = [b"one", b"two"]
CONFIG = make_config(LAYERS, Env=["PATH=/bin", "A=b=c"], Labels={"a": "b"}, User="1000:1000")
IMAGE = make_manifest(CONFIG, LAYERS)
INDEXED = as_json(
    {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            pointer(IMAGE, platform={"os": "linux", "architecture": "arm64", "variant": "v8"}),
            pointer(IMAGE, platform={"os": "linux", "architecture": "amd64", "variant": "v1"}),
            pointer(
                IMAGE, artifactType="x", annotations={"vnd.docker.reference.type": "attestation"}
            ),
            pointer(IMAGE),
        ],
    }
)
SUBJECT = pointer(b"subject")["digest"]
REFERRERS = as_json({"schemaVersion": 2, "manifests": [
    pointer(IMAGE, artifactType="kind", annotations={"a": "b"}), pointer(CONFIG, artifactType="other")]})  # fmt: skip
ARTIFACT = as_json(json.loads(IMAGE) | {"subject": pointer(b"subject"), "artifactType": "kind"})


class Held:
    """A repository whose every answer is the same."""

    name = REFERENCE

    def __init__(self, manifest: bytes, config: bytes = CONFIG) -> None:
        self._manifest, self._config = manifest, config

    def read(self, path: str, what: str, accept: str = "*/*", limit: int = 1 << 22) -> bytes:
        if path.startswith("blobs"):
            return self._config
        listed = "sha256:" in path and b'"manifests"' in self._manifest
        return IMAGE if listed else self._manifest


def visit(manifest: bytes, config: bytes = CONFIG) -> object:
    """Do what asking for an image does, digests taken on trust so that all is parsed."""
    with mock.patch.object(documents, "require_digest"):
        return describe(Held(manifest, config), NAME, "linux/amd64")  # type: ignore[arg-type]


def attached(data: bytes) -> object:
    repository: Any = Held(data)
    with mock.patch.object(referrers, "_from_api", return_value=None):
        return referrers.attached(repository, SUBJECT, "kind")


def artifact(data: bytes) -> object:
    one = referrers.Attached(documents.Descriptor("sha256:" + "0" * 64, 1), {})
    with mock.patch.object(documents, "require_digest"):
        return referrers.read_artifact(Held(data), one, SUBJECT)  # type: ignore[arg-type]


def answering(status: int = 200, body: bytes = b"", **headers: str) -> requests.Response:
    found = requests.Response()
    found.status_code, found.raw = status, io.BytesIO(body)
    found.headers.update(headers)
    found.request = requests.Request("GET", "https://registry.example/").prepare()
    return found


def token(data: bytes) -> object:
    challenge = 'Bearer realm="https://auth.example/token",service="s"'
    with (
        mock.patch.object(auth, "send", return_value=answering(body=data)),
        mock.patch.object(auth, "_credentials", return_value={}),
    ):
        return auth.authorize(REFERENCE, challenge, "https://registry.example/v2/")


def challenge(data: bytes) -> object:
    header = data.decode("latin-1")

    def send(method: str, url: str, **rest: Any) -> requests.Response:
        transport.split_url(url)
        return answering(body=b'{"token": "t"}')

    with (
        mock.patch.object(auth, "send", send),
        mock.patch.object(auth, "_credentials", return_value={}),
    ):
        return auth.authorize(REFERENCE, header, "https://registry.example/v2/")


def login(data: bytes) -> object:
    """Read Docker's configuration; helpers that it names are not there."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, DOCKER_CONFIG=folder, PATH=""),
    ):
        Path(folder, "config.json").write_bytes(data)
        known = auth._credentials(REFERENCE)
        if auth._user(known):
            auth._basic(known)
        return known


def reason(data: bytes) -> object:
    return Repository._reason(answering(500, data))


def location(data: bytes) -> object:
    repository: Any = SimpleNamespace(_root="https://registry.example", name=REFERENCE)
    place = Repository.location(
        repository, "https://registry.example/v2/x", answering(202, Location=data.decode("latin-1"))
    )
    return transport.split_url(place)


def redirect(data: bytes) -> object:
    return transport._location(
        "https://registry.example/v2/x", answering(302, Location=data.decode("latin-1"))
    )


def header(data: bytes) -> object:
    value = data.decode("latin-1")
    answer = answering(503, **{"Retry-After": value, "Content-Length": value, "Range": value})
    wait, length = transport.retry_after(answer), transport.content_length(answer)
    if (wait is not None and not 0 <= wait < 1e12) or (length is not None and length < 0):
        raise AssertionError(wait, length)
    return transport.status_of(answer), _reached(answer)


def reference(data: bytes) -> object:
    found = parse_reference(data.decode("utf-8", "replace"))
    return found.host, found.is_loopback, Config()


AUTHS = as_json(
    {
        "auths": {"registry.example": {"auth": "dXNlcjpwYXNz", "identitytoken": "t"}},
        "HttpHeaders": {},
    }
)
HELPERS = as_json(
    {"credsStore": "desktop", "credHelpers": {"registry.example": "none"}, "auths": {}}
)
OLD = as_json({"https://registry.example/v1/": {"auth": "dXNlcjpwYXNz", "email": "x"}})
TARGETS = [
    Target("registry: manifest", visit, [IMAGE], "json"),
    Target("registry: index", lambda data: documents.of_platform(NAME, documents.read(NAME, data), "linux/amd64"),
           [INDEXED], "json"),
    Target("registry: index and what it names", visit, [INDEXED, IMAGE], "json"),
    Target("registry: config", lambda data: visit(IMAGE, data), [CONFIG], "json"),
    Target("registry: referrers", attached, [REFERRERS], "json"),
    Target("registry: artifact", artifact, [ARTIFACT], "json"),
    Target("registry: token", token, [b'{"token": "abc"}', b'{"access_token": "abc", "expires_in": 60}'], "json"),
    Target("registry: WWW-Authenticate", challenge,
           [b'Bearer realm="https://auth.example/token",service="s",scope="repository:a/b:pull"',
            b"Bearer realm=https://auth.example/t?x=1,service=s", b'Basic realm="x"']),
    Target("registry: reason of a refusal", reason, [b'{"errors": [{"code": "DENIED", "message": "no"}]}'], "json"),
    Target("registry: Location", location, [b"/v2/a/blobs/uploads/1?state=x", b"https://other.example:443/u/1"]),
    Target("HTTP: Location", redirect, [b"/elsewhere?x=1", b"https://u:p@other.example:443/u/1#f"]),
    Target("HTTP: headers in numbers", header, [b"120", b"Fri, 31 Dec 2027 23:59:59 GMT", b"0-1023", b"bytes=0-9"]),
    Target("Docker's config.json", login, [AUTHS, HELPERS, OLD], "json"),
    Target("name of an image", reference, [NAME.encode(), b"debian:bookworm-slim@sha256:" + b"0" * 64]),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)


def test_the_seeds_mean_what_they_should() -> None:
    assert visit(IMAGE)
    assert visit(INDEXED)
    assert len(attached(REFERRERS)) == 1  # type: ignore[arg-type]
    assert login(AUTHS) == {"identitytoken": "t"} or login(AUTHS)
    with pytest.raises(FetchError):
        login(HELPERS)
    assert MANIFEST
