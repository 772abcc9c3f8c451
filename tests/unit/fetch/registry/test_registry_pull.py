"""Blobs come complete and verified, or not at all; what broke off goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.util.retry import Retry

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.config import Config
from freezer.fetch.http.client import NotFoundError
from freezer.fetch.registry import pull as registry_pull
from freezer.fetch.registry.manifest import Descriptor
from freezer.fetch.registry.pull import fetch_blob, read_blob
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.repository import Repository
from freezer.fetch.store.store import Store
from tests.support.registry.memory_registry import MemoryRegistry, memory_registry
from tests.support.registry.registries import Answer, sha

DATA = bytes(range(256)) * 4000
BLOB = Descriptor(sha(DATA), len(DATA))
BLOCK = 1 << 16
"""Bytes below which what came before a connection broke off is not kept."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRegistry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)
    monkeypatch.setattr(registry_pull, "_PAUSE", 0)
    with memory_registry() as found:
        found.blobs["a", sha(DATA)] = DATA
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def repository(registry: MemoryRegistry) -> Repository:
    return Repository(parse_reference(f"{registry.host}/a@{sha(b'manifest')}"), Config())


def fetch(registry: MemoryRegistry, store: Store, blob: Descriptor = BLOB) -> list[int]:
    told: list[int] = []
    path = fetch_blob(repository(registry), blob, store=store, advance=told.append)
    assert path == store.path(blob.digest.removeprefix("sha256:"))
    assert sum(told) == blob.size
    return told


def gets(registry: MemoryRegistry) -> list[str | None]:
    return [one.headers.get("Range") for one in registry.asked if "/blobs/" in one.path]


def test_a_blob_comes_once(registry: MemoryRegistry, store: Store) -> None:
    fetch(registry, store)
    assert store.verified(sha(DATA)[7:]).read_bytes() == DATA
    fetch(registry, store)
    assert gets(registry) == [None]


def test_what_an_earlier_run_left_is_gone_on_with(registry: MemoryRegistry, store: Store) -> None:
    store.partial(sha(DATA)[7:]).write_bytes(DATA[:1000])
    fetch(registry, store)
    assert gets(registry) == ["bytes=1000-"]


def test_what_an_earlier_run_left_spoiled_is_fetched_anew(
    registry: MemoryRegistry, store: Store
) -> None:
    store.partial(sha(DATA)[7:]).write_bytes(b"x" * 1000)
    fetch(registry, store)
    assert gets(registry) == ["bytes=1000-", None]


def test_what_an_earlier_run_left_too_long_is_fetched_anew(
    registry: MemoryRegistry, store: Store
) -> None:
    store.partial(sha(DATA)[7:]).write_bytes(DATA + b"x")
    fetch(registry, store)
    assert gets(registry) == [None]


def test_a_connection_that_broke_off_goes_on(registry: MemoryRegistry, store: Store) -> None:
    registry.cut_answers = [4 * BLOCK + 10, BLOCK]
    fetch(registry, store)
    assert gets(registry) == [None, f"bytes={4 * BLOCK}-", f"bytes={5 * BLOCK}-"]


def test_one_that_breaks_without_end_is_given_up(registry: MemoryRegistry, store: Store) -> None:
    registry.cut_answers = [BLOCK, *[0] * 100]
    with pytest.raises(FetchError, match="broke off") as caught:
        fetch(registry, store)
    assert "repeat the command" in (caught.value.hint or "")
    assert store.partial(sha(DATA)[7:]).read_bytes() == DATA[:BLOCK]


def test_a_registry_without_parts_starts_from_the_beginning(
    registry: MemoryRegistry, store: Store
) -> None:
    store.partial(sha(DATA)[7:]).write_bytes(DATA[:1000])
    registry.instead["GET", "blobs"] = [Answer(DATA)]
    fetch(registry, store)
    assert gets(registry) == ["bytes=1000-"]


def test_a_registry_that_does_not_know_the_part_starts_from_the_beginning(
    registry: MemoryRegistry, store: Store
) -> None:
    store.partial(sha(DATA)[7:]).write_bytes(DATA[:1000])
    registry.instead["GET", "blobs"] = [Answer(b"", 416)]
    fetch(registry, store)
    assert gets(registry) == ["bytes=1000-", None]


@pytest.mark.parametrize("served", [b"x" * len(DATA), DATA + b"x"], ids=["other", "longer"])
def test_other_bytes_are_refused_and_nothing_is_kept(
    registry: MemoryRegistry, store: Store, served: bytes
) -> None:
    registry.blobs["a", sha(DATA)] = served
    with pytest.raises(IntegrityError) as caught:
        fetch(registry, store)
    assert caught.value.expected == sha(DATA)
    assert not store.has(sha(DATA)[7:])
    assert not store.partial(sha(DATA)[7:]).exists()


def test_a_blob_shorter_than_promised_is_given_up(registry: MemoryRegistry, store: Store) -> None:
    registry.blobs["a", sha(DATA)] = DATA[:500]
    with pytest.raises(FetchError) as caught:
        fetch(registry, store)
    assert caught.value.found == f"the registry ended after 500 of {len(DATA)} bytes"


def test_an_empty_blob_is_one_too(registry: MemoryRegistry, store: Store) -> None:
    registry.blobs["a", sha(b"")] = b""
    fetch(registry, store, Descriptor(sha(b""), 0))


def test_a_blob_that_is_not_there_is_named(registry: MemoryRegistry, store: Store) -> None:
    with pytest.raises(NotFoundError, match=sha(b"none")):
        fetch(registry, store, Descriptor(sha(b"none"), 4))


def test_small_blobs_are_held_against_digest_and_limit(registry: MemoryRegistry) -> None:
    assert read_blob(repository(registry), BLOB, "it", len(DATA)) == DATA
    with pytest.raises(FetchError, match="too large"):
        read_blob(repository(registry), BLOB, "it", 1000)
    registry.blobs["a", sha(DATA)] = b"other"
    with pytest.raises(IntegrityError):
        read_blob(repository(registry), BLOB, "it", 1000)
