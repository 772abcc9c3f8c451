"""A project with one environment, whose every file is in its store."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from freezer.model.lockfile import LOCK_FILE, lock_bytes
from tests.support.host.hosts import Host, make_host
from tests.support.project.insides import PART
from tests.support.project.small_lock import DEB, TRAINING, WHEEL, WORDS, made_lock


@pytest.fixture
def here(tmp_path: Path) -> Host:
    host = make_host(tmp_path / "here", "nowhere")
    host.references.mkdir(parents=True)
    (host.references / LOCK_FILE).write_bytes(lock_bytes(made_lock()))
    store = host.opened.store
    for data in (DEB, WHEEL, TRAINING, WORDS, PART):
        store.put_bytes(data)
    for data in (DEB, WHEEL):  # which are no packages
        key = f"1 {hashlib.sha256(data).hexdigest()}"
        store.put_memo(
            "licenses", key, {"expression": "MIT", "unmapped": [], "source": "", "same_as": None}
        )
    return host


@pytest.fixture
def there(tmp_path: Path) -> Host:
    """Another machine, with nothing on it."""
    return make_host(tmp_path / "there", "nowhere")
