"""Failures of this host's own files are told apart from the engine's."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest
import requests

from freezer.engine.link import Link
from freezer.errors import EngineError, HostError, LockError

if TYPE_CHECKING:
    from collections.abc import Callable

    from freezer.engine.interface import EngineInfo


def test_a_full_disk_on_this_host_names_the_place(info: Callable[..., EngineInfo]) -> None:
    with pytest.raises(HostError, match="no space left") as raised, Link(None, info()).doing("x"):
        raise OSError(errno.ENOSPC, "No space left on device", "/cache/layer")
    assert "/cache/layer" in str(raised.value.hint)


def test_a_file_that_may_not_be_written_is_named(info: Callable[..., EngineInfo]) -> None:
    with (
        pytest.raises(HostError, match="while saving") as raised,
        Link(None, info()).doing("saving"),
    ):
        raise PermissionError(errno.EACCES, "Permission denied", "/cache/layer")
    assert raised.value.found == "/cache/layer: Permission denied"


def test_errors_of_ours_pass_as_they_are(info: Callable[..., EngineInfo]) -> None:
    with pytest.raises(LockError), Link(None, info()).doing("x"):
        raise LockError("stale")


def test_interrupts_pass_as_they_are(info: Callable[..., EngineInfo]) -> None:
    with pytest.raises(KeyboardInterrupt), Link(None, info()).doing("x"):
        raise KeyboardInterrupt


def test_a_timeout_deep_inside_is_a_timeout(info: Callable[..., EngineInfo]) -> None:
    wrapped = requests.ConnectionError(TimeoutError("timed out"))
    with pytest.raises(EngineError, match="did not answer in time"), Link(None, info()).doing("x"):
        raise wrapped
