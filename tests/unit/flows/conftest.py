"""Two machines and a registry in memory between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.util.retry import Retry

from freezer.check.reference import write_reference
from freezer.fetch.registry import push as registry_push
from freezer.flows.image.config_cache import keep_config
from freezer.model.lockfile import LOCK_FILE
from tests.support.host.hosts import (
    BASE,
    CONFIG,
    ID,
    LIGHT,
    LOCK,
    SYSTEM,
    Host,
    make_host,
    reference,
)
from tests.support.registry.memory_registry import MemoryRegistry, memory_registry
from tests.support.registry.registries import sha


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRegistry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)
    monkeypatch.setattr(registry_push, "_PAUSE", 0)
    with memory_registry() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, registry: MemoryRegistry) -> Host:
    """Return the host where the image was built and verified, and has a reference."""
    host = make_host(tmp_path / "home", registry.host)
    store, folder = host.opened.store, host.references
    folder.mkdir(parents=True)
    (folder / LOCK_FILE).write_bytes(LOCK)
    image = host.held.make(CONFIG, BASE, SYSTEM, LIGHT)
    for layer in (SYSTEM, LIGHT):
        store.put_bytes(layer)
    keep_config(store, image, CONFIG)
    store.put_memo("verified-image", ID, image.id)
    write_reference(folder, reference())
    return host


@pytest.fixture
def away(tmp_path: Path, registry: MemoryRegistry) -> Host:
    """Return a host that has an engine, and nothing in it."""
    host = make_host(tmp_path / "away", registry.host)
    host.held.files[sha(CONFIG)] = LOCK
    return host
