from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.util.retry import Retry

from freezer.errors import FetchError, FreezerError, IntegrityError, ResolveError, SpecError
from freezer.fetch.config import Config
from freezer.fetch.http.client import NotFoundError
from freezer.fetch.registry.inspect import Registry
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.repository import schemes
from tests.support.registry.registries import (
    LyingRegistry,
    as_json,
    lying_registry,
    make_config,
    make_index,
    make_manifest,
    pointer,
    sha,
)

AMD64, ARM64 = "linux/amd64", "linux/arm64"
LAYERS = [b"one", b"two"]
CONFIG = make_config(LAYERS, Env=["PATH=/bin", "A=b=c", "broken"], Labels={"k": "v"}, User="7")
MANIFEST = make_manifest(CONFIG, LAYERS)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LyingRegistry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)
    with lying_registry() as found:
        found.image("a", "t", MANIFEST, CONFIG)
        yield found


def ask(registry: LyingRegistry, name: str = "a:t", platform: str = AMD64) -> object:
    return Registry(Config()).resolve(f"{registry.host}/{name}", platform)


def refusal(registry: LyingRegistry, name: str = "a:t", platform: str = AMD64) -> FreezerError:
    with pytest.raises(FreezerError) as caught:
        ask(registry, name, platform)
    assert caught.value.hint
    return caught.value


def test_an_image_is_told_by_digests_and_settings(registry: LyingRegistry) -> None:
    found = Registry(Config()).resolve(f"{registry.host}/a:t", AMD64)
    assert found.manifest == sha(MANIFEST)
    assert found.config == sha(CONFIG)
    assert found.diff_ids == (sha(b"one"), sha(b"two"))
    assert found.environment == {"PATH": "/bin", "A": "b=c"}
    assert (found.labels, found.user) == ({"k": "v"}, "7")


def test_a_name_with_a_digest_goes_to_that_manifest(registry: LyingRegistry) -> None:
    del registry.answers["/v2/a/manifests/t"]
    assert ask(registry, f"a:t@{sha(MANIFEST)}") == ask(registry, f"a@{sha(MANIFEST)}")


def test_an_index_leads_to_the_platforms_own_manifest(registry: LyingRegistry) -> None:
    config = make_config(LAYERS, "arm64")
    manifest = make_manifest(config, LAYERS)
    index = make_index({AMD64: MANIFEST, ARM64: manifest, "unknown/unknown": b"attestation"})
    registry.image("b", "t", index)
    registry.image("b", "amd64", MANIFEST, CONFIG)
    registry.image("b", "arm64", manifest, config)
    assert Registry(Config()).resolve(f"{registry.host}/b:t", ARM64).manifest == sha(manifest)
    assert Registry(Config()).resolve(f"{registry.host}/b:t", AMD64).manifest == sha(MANIFEST)


def test_a_variant_that_not_every_machine_runs_is_passed_over(registry: LyingRegistry) -> None:
    index = json.loads(make_index({AMD64: b"v3", "linux/s390x": b""}))
    index["manifests"][0]["platform"]["variant"] = "v3"
    registry.image("b", "t", as_json(index))
    assert refusal(registry, "b:t").found == "linux/amd64/v3, linux/s390x"


def test_a_platform_that_is_missing_is_named_with_those_there_are(registry: LyingRegistry) -> None:
    registry.image("b", "t", make_index({ARM64: MANIFEST, "unknown/unknown": b""}))
    error = refusal(registry, "b:t")
    assert isinstance(error, ResolveError)
    assert (error.found, error.expected) == (ARM64, AMD64)
    assert "b:t" in error.what


def test_an_image_of_one_other_platform_is_refused(registry: LyingRegistry) -> None:
    assert refusal(registry, platform=ARM64).found == AMD64


def test_a_manifest_with_another_digest_than_asked_for_is_refused(registry: LyingRegistry) -> None:
    wanted = sha(b"other")
    registry.serve(f"/v2/a/manifests/{wanted}", MANIFEST)
    error = refusal(registry, f"a@{wanted}")
    assert isinstance(error, IntegrityError)
    assert (error.found, error.expected) == (sha(MANIFEST), wanted)


def test_a_manifest_in_an_index_is_held_against_its_digest(registry: LyingRegistry) -> None:
    registry.image("b", "t", make_index({AMD64: b"what was indexed"}))
    registry.serve(f"/v2/b/manifests/{sha(b'what was indexed')}", MANIFEST)
    assert isinstance(refusal(registry, "b:t"), IntegrityError)


def test_a_config_is_held_against_its_digest(registry: LyingRegistry) -> None:
    registry.serve(f"/v2/a/blobs/{sha(CONFIG)}", make_config([b"evil", b"two"]))
    error = refusal(registry)
    assert isinstance(error, IntegrityError)
    assert "config" in error.what


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"<html>", "no JSON object"),
        (b"[]", "no JSON object"),
        (b"[" * 100_000, "no JSON object"),
        (as_json({"schemaVersion": 1, "fsLayers": []}), "schema 1"),
        (as_json({"schemaVersion": 2}), "neither clearly"),
        (as_json({"manifests": [], "config": {}, "layers": []}), "neither clearly"),
        (as_json({"manifests": {}}), "manifests that are no list"),
        (as_json({"manifests": []}), "no platform at all"),
        (as_json({"manifests": ["x"]}), "an entry that is no object"),
        (as_json({"manifests": [pointer(b"", platform={})]}), "None/None"),
        (as_json({"config": pointer(CONFIG) | {"digest": "sha256:../../x"}, "layers": []}), "without a sha256"),
        (as_json({"config": pointer(CONFIG) | {"size": "1"}, "layers": []}), "without a sha256"),
        (as_json({"config": pointer(CONFIG) | {"digest": "md5:1"}, "layers": []}), "without a sha256"),
        (as_json({"layers": []}), "without a sha256"),
        (as_json({"config": pointer(CONFIG), "layers": [1]}), "without a sha256"),
        (as_json({"config": pointer(CONFIG), "layers": [pointer(b"") | {"size": -1}]}), "without a sha256"),
        (as_json({"config": pointer(CONFIG), "layers": [pointer(b"")]}), "1 layers in the manifest, 2"),
        (as_json({"config": pointer(CONFIG)}), "0 layers in the manifest, 2"),
    ],
)  # fmt: skip
def test_documents_that_are_no_image_are_refused(
    registry: LyingRegistry, document: bytes, said: str
) -> None:
    registry.serve("/v2/a/manifests/t", document)
    assert said in str(refusal(registry))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "None/None"),
        ({"os": "linux", "architecture": "amd64"}, "without layers"),
        ({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": "x"}}, "without layers"),
        ({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ["../x"]}}, "sha256 dig"),
        ({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": []}, "config": []}, None),
    ],
)
def test_configs_that_are_no_image_are_refused(
    registry: LyingRegistry, config: dict[str, object], said: str | None
) -> None:
    data = as_json(config)
    registry.image("b", "t", make_manifest(data, []), data)
    if said is None:
        assert Registry(Config()).resolve(f"{registry.host}/b:t", AMD64).diff_ids == ()
    else:
        assert said in str(refusal(registry, "b:t"))


def test_an_index_within_an_index_is_refused(registry: LyingRegistry) -> None:
    inner = make_index({AMD64: MANIFEST})
    registry.image("b", "inner", inner)
    registry.image("b", "t", make_index({AMD64: inner}))
    assert "an index within an index" in str(refusal(registry, "b:t"))


@pytest.mark.parametrize("path", ["/v2/a/manifests/t", f"/v2/a/blobs/{sha(CONFIG)}"])
def test_what_is_larger_than_any_registry_takes_is_refused(
    registry: LyingRegistry, path: str
) -> None:
    registry.serve(path, b" " * ((4 << 20) + 1))
    assert "too large" in refusal(registry).what


def test_an_image_that_is_not_there_is_named(registry: LyingRegistry) -> None:
    error = refusal(registry, "a:other")
    assert isinstance(error, NotFoundError)
    assert "a:other" in error.what


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "refuses access"), (429, "limits the rate of requests"), (418, "HTTP 418")],
)
def test_what_the_registry_says_is_passed_on(
    registry: LyingRegistry, status: int, said: str
) -> None:
    registry.serve("/v2/a/manifests/t", b"{}", status)
    error = refusal(registry)
    assert isinstance(error, FetchError)
    assert said in str(error)


def test_a_registry_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)
    with pytest.raises(FetchError, match="could not read"):
        Registry(Config()).resolve("127.0.0.1:1/a:t", AMD64)


def test_a_loopback_registry_that_wants_tls_gets_it(registry: LyingRegistry) -> None:
    registry.serve("/v2/", b"Client sent an HTTP request to an HTTPS server.", 400)
    assert f"https://{registry.host}" in refusal(registry).what


def test_no_name_no_question() -> None:
    with pytest.raises(SpecError):
        Registry(Config()).resolve("A B", AMD64)


def test_plain_http_is_for_loopback_and_configured_registries_only() -> None:
    config = Config(insecure_registries=("10.0.0.1:5000",))
    names = ["10.0.0.1:5000/a", "10.0.0.2:5000/a", "127.0.0.1:5000/a"]
    found = [schemes(parse_reference(name), config) for name in names]
    assert found == [("http", "https"), ("https",), ("http", "https")]


# Credentials


def challenge(registry: LyingRegistry, realm: str | None = None) -> None:
    registry.token = "Bearer good"
    place = realm or f"http://{registry.host}/token"
    registry.challenge = f'Bearer realm="{place}",service="s",scope="repository:a:pull"'


def login(registry: LyingRegistry, folder: Path, **entry: str) -> None:
    pair = base64.b64encode(b"me:pass:word").decode()
    config = {"auths": {registry.host: entry or {"auth": pair}}}
    (folder / "config.json").write_text(json.dumps(config))


def token_requests(registry: LyingRegistry) -> list[tuple[str, str | None]]:
    return [
        (path, headers.get("Authorization"))
        for path, headers in registry.asked
        if path.startswith("/token")
    ]


@pytest.mark.parametrize("key", ["token", "access_token"])
def test_a_token_is_had_without_credentials_where_none_are_needed(
    registry: LyingRegistry, key: str
) -> None:
    challenge(registry)
    registry.serve("/token", as_json({key: "good"}))
    assert ask(registry)
    assert token_requests(registry) == [("/token?service=s&scope=repository%3Aa%3Apull", None)]


def test_credentials_of_docker_login_buy_the_token(registry: LyingRegistry, tmp_path: Path) -> None:
    login(registry, tmp_path)
    challenge(registry)
    registry.serve("/token", as_json({"token": "good"}))
    assert ask(registry)
    ((_, shown),) = token_requests(registry)
    assert shown == f"Basic {base64.b64encode(b'me:pass:word').decode()}"


def test_an_identity_token_is_exchanged(registry: LyingRegistry, tmp_path: Path) -> None:
    login(registry, tmp_path, identitytoken="refresh-me")
    challenge(registry)
    registry.serve("/token", as_json({"access_token": "good"}))
    assert ask(registry)
    ((path, shown),) = token_requests(registry)
    assert "grant_type=refresh_token" in path
    assert "refresh_token=refresh-me" in path
    assert shown is None


def test_basic_credentials_are_shown_where_they_are_asked_for(
    registry: LyingRegistry, tmp_path: Path
) -> None:
    login(registry, tmp_path)
    registry.token = f"Basic {base64.b64encode(b'me:pass:word').decode()}"
    registry.challenge = 'Basic realm="x"'
    assert ask(registry)


@pytest.mark.process
def test_a_credential_helper_is_asked(
    registry: LyingRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = tmp_path / "docker-credential-test"
    secret = json.dumps({"Username": "me", "Secret": "pass:word", "ServerURL": registry.host})
    helper.write_text(f"#!/bin/sh\necho '{secret}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "config.json").write_text('{"credsStore": "test"}')
    registry.token = f"Basic {base64.b64encode(b'me:pass:word').decode()}"
    registry.challenge = 'Basic realm="x"'
    assert ask(registry)


@pytest.mark.parametrize(
    "config", ['{"credsStore": "never-installed"}', '{"auths": {"x": "not an object"}}']
)
def test_credentials_that_cannot_be_read_are_said_to_be_so(
    registry: LyingRegistry, tmp_path: Path, config: str
) -> None:
    (tmp_path / "config.json").write_text(config)
    challenge(registry)
    assert "credentials" in refusal(registry).what


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "Negotiate", ""])
def test_a_closed_door_is_said_to_be_so(registry: LyingRegistry, scheme: str) -> None:
    challenge(registry)
    registry.challenge = registry.challenge.replace("Bearer", scheme)
    registry.serve("/token", b"{}", 401)
    error = refusal(registry)
    assert isinstance(error, FetchError)
    assert "refuses access to a" in error.what
    assert "docker login" in (error.hint or "")


def test_a_token_that_is_not_accepted_ends_it(registry: LyingRegistry) -> None:
    challenge(registry)
    registry.serve("/token", as_json({"token": "bad"}))
    assert "refuses access" in refusal(registry).what
    assert len(token_requests(registry)) == 1


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"token": 1}', b'{"token": "a\\r\\nX: y"}', b" " * (2 << 20)]
)
def test_a_token_server_that_gives_none_is_said_to_be_so(
    registry: LyingRegistry, body: bytes
) -> None:
    challenge(registry)
    registry.serve("/token", body)
    assert "gives no token" in refusal(registry).what


def test_credentials_are_never_sent_to_an_unsafe_place(
    registry: LyingRegistry, tmp_path: Path
) -> None:
    login(registry, tmp_path)
    challenge(registry, realm="ftp://user:secret@example.org/token")
    error = refusal(registry)
    assert "unsafe token server" in error.what
    assert "secret" not in str(error)


def test_a_netrc_is_not_shown_to_registries(
    registry: LyingRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    challenge(registry)
    registry.serve("/token", as_json({"token": "good"}))
    assert ask(registry)
    assert {h.get("Authorization") for _, h in registry.asked} == {None, "Bearer good"}


def test_secrets_appear_in_no_message(registry: LyingRegistry, tmp_path: Path) -> None:
    login(registry, tmp_path)
    challenge(registry)
    registry.serve("/token", b"{}", 401)
    assert "pass:word" not in str(refusal(registry))
