"""The real uv against an index made for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.resolve.python.interface import PipRequest, Resolution
from freezer.resolve.python.uv.resolver import UvResolver
from tests.support.python.indexes import FakeIndex, serve


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv")


@pytest.fixture
def store(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("UV_CACHE_DIR", str(cache))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    return Store.open(tmp_path / "store")


def resolve(lock_request: PipRequest, store: Store) -> Resolution:
    return UvResolver().resolve(lock_request, store=store, report=SilentReporter())


def pins(resolution: Resolution) -> dict[str, str]:
    return {package.name: package.version for package in resolution.packages}


def add_setuptools(index: FakeIndex) -> None:
    """An index has setuptools; only its name and version count where metadata is static."""
    index.add("setuptools", "80")
    index.add("wheel", "0.45")
