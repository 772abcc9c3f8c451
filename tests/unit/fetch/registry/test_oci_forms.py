"""Valid forms that few registries use: indexes without platforms, tokens that are good for less."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from freezer.errors import FetchError, ResolveError
from freezer.fetch.config import Config
from freezer.fetch.registry.inspect import Registry
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.repository import Repository
from tests.support.host.raw_server import Reply, answer, raw_server
from tests.support.registry.registries import (
    LyingRegistry,
    as_json,
    lying_registry,
    make_config,
    make_manifest,
    pointer,
    sha,
)

AMD64, ARM64 = (make_config([b"layer"], name) for name in ("amd64", "arm64"))
IMAGES = [make_manifest(config, [b"layer"]) for config in (ARM64, AMD64)]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with lying_registry() as served:
        for config, image in zip((ARM64, AMD64), IMAGES, strict=True):
            served.image("a", sha(image), image, config)
        yield served


def indexed(registry: LyingRegistry, *entries: dict[str, object]) -> str:
    registry.serve("/v2/a/manifests/t", as_json({"schemaVersion": 2, "manifests": list(entries)}))
    return Registry(Config()).resolve(f"{registry.host}/a:t", "linux/amd64").config


def test_entries_without_a_platform_are_told_by_their_config(registry: LyingRegistry) -> None:
    notes = {"org.opencontainers.image.created": "2026"}
    entries = [pointer(IMAGES[0]), pointer(IMAGES[1], annotations=notes)]
    assert indexed(registry, *entries) == sha(AMD64)


def test_an_entry_that_names_the_platform_goes_first(registry: LyingRegistry) -> None:
    named = pointer(IMAGES[1], platform={"os": "linux", "architecture": "amd64"})
    assert indexed(registry, pointer(b"never asked for"), named) == sha(AMD64)
    assert len([path for path, _ in registry.asked if "manifests" in path]) == 2


@pytest.mark.parametrize("variant", ["v1", ""])
def test_variant_one_is_what_every_machine_runs(registry: LyingRegistry, variant: str) -> None:
    platform = {"os": "linux", "architecture": "amd64", "variant": variant}
    assert indexed(registry, pointer(IMAGES[1], platform=platform)) == sha(AMD64)


@pytest.mark.parametrize("variant", ["v2", "v3"])
def test_other_variants_are_not_taken(registry: LyingRegistry, variant: str) -> None:
    platform = {"os": "linux", "architecture": "amd64", "variant": variant}
    with pytest.raises(ResolveError, match=variant):
        indexed(registry, pointer(IMAGES[1], platform=platform))


def test_attestations_and_artifacts_are_no_images(registry: LyingRegistry) -> None:
    notes = {"vnd.docker.reference.type": "attestation-manifest"}
    with pytest.raises(ResolveError, match="no platform at all"):
        indexed(
            registry, pointer(IMAGES[1], annotations=notes), pointer(IMAGES[1], artifactType="x")
        )


def test_none_of_them_is_for_the_platform(registry: LyingRegistry) -> None:
    with pytest.raises(ResolveError, match="linux/arm64"):
        indexed(registry, pointer(IMAGES[0]))


def test_no_more_than_a_few_are_read(registry: LyingRegistry) -> None:
    with pytest.raises(ResolveError):
        indexed(registry, *[pointer(IMAGES[0])] * 1000)
    assert len(registry.asked) < 50


# Tokens


def token_server(*, refuses: bool) -> Reply:
    """Give a token good for one repository alone; refuse, or give less, when asked for more."""

    def reply(first: str, headers: dict[str, str], connection: socket.socket) -> None:
        scopes = parse_qs(urlsplit(first.split()[1]).query).get("scope", [])
        if len(scopes) == 1 and scopes[0].startswith("repository:mine:"):
            token = answer(body=b'{"token": "mine"}')
        else:
            token = answer("403 No") if refuses else answer(body=b'{"token": "nothing"}')
        token(first, headers, connection)

    return reply


@pytest.mark.parametrize("refuses", [True, False])
@pytest.mark.parametrize("status", ["401 No", "403 Denied"])
def test_a_token_for_less_is_asked_for_again(
    refuses: bool, status: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with raw_server(token_server(refuses=refuses)) as tokens:
        challenge = f'Bearer realm="{tokens.url}/token",service=s'

        def guarded(first: str, headers: dict[str, str], connection: socket.socket) -> None:
            shown = headers.get("authorization")
            denied = (
                answer("401 No", WWW_Authenticate=challenge) if shown is None else answer(status)
            )
            (answer("202 Go") if shown == "Bearer mine" else denied)(first, headers, connection)

        with raw_server(answer(), guarded) as registry:
            name = parse_reference(f"127.0.0.1:{registry.port}/mine:t")
            repository = Repository(name, Config(), writes=True, reads=["theirs"])
            with repository.request("POST", repository.address("blobs/uploads/")) as found:
                assert found.status_code == 202
            with repository.request("POST", repository.address("blobs/uploads/")) as found:
                assert found.status_code == 202
            assert len(tokens.asked) == 2


def test_a_repository_that_is_really_refused_is_so_after_two_tokens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with raw_server(answer(body=json.dumps({"token": "nothing"}).encode())) as tokens:
        challenge = f'Bearer realm="{tokens.url}/token",service=s'
        with raw_server(answer(), answer("401 No", WWW_Authenticate=challenge)) as registry:
            name = parse_reference(f"127.0.0.1:{registry.port}/mine:t")
            repository = Repository(name, Config(), writes=True, reads=["theirs"])
            with (
                repository.request("POST", repository.address("blobs/uploads/")) as found,
                pytest.raises(FetchError),
            ):
                repository.require_success(found, "it")
            assert len(tokens.asked) == 2
