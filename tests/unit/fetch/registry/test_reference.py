from __future__ import annotations

import pytest
from docker import auth

from freezer.errors import SpecError
from freezer.fetch.registry.reference import parse_reference

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("debian", auth.INDEX_NAME, "library/debian", "latest", None),
        ("debian:bookworm-slim", auth.INDEX_NAME, "library/debian", "bookworm-slim", None),
        ("nvidia/cuda:12.4.1", auth.INDEX_NAME, "nvidia/cuda", "12.4.1", None),
        (f"debian@{DIGEST}", auth.INDEX_NAME, "library/debian", "latest", DIGEST),
        (f"h:5000/a/b:t@{DIGEST}", "h:5000", "a/b", "t", DIGEST),
        ("localhost/a", "localhost", "a", "latest", None),
        ("example.org/team/a_b__c.d--e", "example.org", "team/a_b__c.d--e", "latest", None),
        ("[::1]:5000/a:t", "[::1]:5000", "a", "t", None),
        (f"{auth.INDEX_NAME}/debian:12", auth.INDEX_NAME, "library/debian", "12", None),
        (f"index.{auth.INDEX_NAME}/debian:12", auth.INDEX_NAME, "library/debian", "12", None),
    ],
)
def test_names_mean_what_docker_takes_them_for(
    text: str, registry: str, repository: str, tag: str, digest: str | None
) -> None:
    found = parse_reference(text)
    assert (found.registry, found.repository, found.tag, found.digest) == (
        registry,
        repository,
        tag,
        digest,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Debian",
        "debian:",
        "debian:a b",
        "debian@",
        "debian@sha256:abc",
        f"debian@md5:{'a' * 32}",
        "a//b",
        "/a",
        "a/",
        "../a",
        "https://example.org/a",
        "user:secret@example.org/a",
        "example.org:port/a",
        "debian:12\n",
        "example.org/a?x=y",
        "example.org#/a",
        f"a:{'t' * 129}",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="is not an image name") as caught:
        parse_reference(text)
    assert "secret" not in str(caught.value)
    assert caught.value.expected
    assert caught.value.hint


def test_the_short_name_of_the_default_registry_has_a_host() -> None:
    host = parse_reference("debian").host
    assert host.endswith(auth.INDEX_NAME)
    assert "/" not in host


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("127.0.0.1:5000/a", True),
        ("127.8.8.8/a", True),
        ("[::1]:5000/a", True),
        ("localhost:5000/a", True),
        ("localhost/a", True),
        ("10.0.0.1:5000/a", False),
        ("localhost.example.org/a", False),
        ("127.0.0.1.example.org/a", False),
        ("debian", False),
    ],
)
def test_loopback_is_told_from_what_only_looks_like_it(text: str, loopback: bool) -> None:
    assert parse_reference(text).is_loopback is loopback
