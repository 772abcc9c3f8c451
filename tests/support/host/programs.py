"""Which tests start programs: a guard over the unit tests that are to run in one process.

Whoever starts a program or forks is marked ``process``, and `make test-unit` leaves it out. The guard
fails a test that does so without the mark, so that the others stay quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from freezer.flows.project import git

_FORKS = frozenset({"os.fork", "os.forkpty", "os.posix_spawn", "os.system"})


class Guard:
    """What the test that runs now may start, and what it did start."""

    def __init__(self) -> None:
        self.allowed = True
        self._started: list[str] = []

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Watch this process from now on. Only the patches end: an audit hook cannot be removed."""
        sys.addaudithook(self._hear)
        patch.setattr(BaseProcess, "start", self._heard(BaseProcess.start))
        patch.setattr(git, "_asked", self._without_git(git._asked))

    def begin(self, item: pytest.Item) -> None:
        """Let a test start programs if it is marked so."""
        self.allowed = item.get_closest_marker("process") is not None
        self._started.clear()

    def demand_mark(self) -> None:
        """Fail the test that runs if it, or a fixture that it is the first to use, needs the mark."""
        if self._started and not self.allowed:
            pytest.fail(
                f"this test starts {', '.join(self._started)}\nhint: mark it with "
                "@pytest.mark.process, or all of its file with pytestmark = pytest.mark.process",
                pytrace=False,
            )

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            self._started.append(_command(arguments[1]))
        elif event in _FORKS:
            self._started.append(event)

    def _heard(self, start: Callable[[BaseProcess], None]) -> Callable[[BaseProcess], None]:
        """Return what multiprocessing starts a process by, which tells no audit hook of it."""

        def heard(process: BaseProcess) -> None:
            self._started.append(type(process).__name__)
            start(process)

        return heard

    def _without_git(self, asked: Callable[..., bytes]) -> Callable[..., bytes]:
        """Return what asks git for the author and the commit: where no program may run, of no one.

        Each generation of a history asks, in hundreds of tests about other things.
        """
        return lambda *question: asked(*question) if self.allowed else b""


def _command(words: str | bytes | os.PathLike[str] | Sequence[Any]) -> str:
    if isinstance(words, (str, bytes, os.PathLike)):
        words = [words]
    return " ".join(os.fsdecode(word) for word in words[:3])[:100]
