"""A real Debian base for tests, made once and kept in a store of the tests' own.

The store is ``$XDG_CACHE_HOME/freezer-tests``: a second run takes packages and base from there and
asks the archive for its index only.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from freezer.engine.interface import Engine
from freezer.fetch.config import load_config
from freezer.fetch.debian.archive import DebianArchive
from freezer.fetch.store.download import fetch_all
from freezer.fetch.store.store import Store
from freezer.image.base import engine_base
from freezer.image.debian.bootstrap import make_base
from freezer.image.oci.config import image_id
from freezer.model.events import SilentReporter
from freezer.model.lock import BootstrapBase
from freezer.resolve.debian.bootstrap import resolve_bootstrap

SUITE = "bookworm"
PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}
SILENT = SilentReporter()


@dataclass(frozen=True)
class TestBase:
    """A base as a lock has it, the name by which the engine knows it, the store it came from."""

    __test__ = False

    base: BootstrapBase
    reference: str
    store: Store
    platform: str
    architecture: str


def kept_store() -> Store:
    """Return the store that outlives the test run."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Store.open(Path(cache) / "freezer-tests")


def make_test_base(engine: Engine, suite: str = SUITE) -> TestBase:
    """Return a base of the engine's own architecture that the engine holds."""
    store, config, machine = kept_store(), load_config(), engine.info.architecture
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    packages = resolve_bootstrap(
        suite, machine, config=config, as_of=now, store=store, report=SILENT
    )
    archive = DebianArchive.from_config(config, store=store)
    fetch_all(packages, store=store, sources=[archive], report=SILENT)
    made, layer = make_base(suite, packages, machine, engine=engine, store=store, report=SILENT)
    base = BootstrapBase(
        suite=suite, config=image_id(made), diff_ids=(layer.diff_id,), packages=packages
    )
    platform = PLATFORMS[machine]
    reference = engine_base(base, platform, engine=engine, store=store, report=SILENT)
    return TestBase(base, reference, store, platform, machine)


@pytest.fixture(scope="session")
def bootstrapped_base(engine: Engine) -> TestBase:
    """Return a Debian base made from packages; tests that use it need an engine and an archive."""
    return make_test_base(engine)
