"""A project with one environment, and a machine with nothing on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.host.hosts import Host, make_host, make_small_host


@pytest.fixture
def here(tmp_path: Path) -> Host:
    return make_small_host(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> Host:
    """Another machine, with nothing on it."""
    return make_host(tmp_path / "there", "nowhere")
