"""Runs a part of the work in a forked process on another CPU, as Python's threads share one."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def can_fork() -> bool:
    """Return whether forking is safe and useful: only one thread, and at least two CPUs.

    A copy has one thread, and the locks that others held stay locked in it.
    """
    return threading.active_count() == 1 and len(os.sched_getaffinity(0)) > 1


@contextmanager
def forked(work: Callable[[], bytes]) -> Iterator[Callable[[], bytes | None]]:
    """Run a function in a forked process during a block.

    Yields what waits for it and returns its bytes; None where it failed, in whatever way: the
    caller then does the same here. The copy does not outlive the block.
    """
    source, target = os.pipe()
    child = os.fork()
    if child == 0:
        _work(work, target)
    os.close(target)
    stream = os.fdopen(source, "rb")
    ended: list[int] = []

    def result() -> bytes | None:
        data = stream.read()
        ended.append(os.waitpid(child, 0)[1])
        return data if ended == [0] else None

    try:
        yield result
    finally:
        stream.close()
        if not ended:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _work(work: Callable[[], bytes], target: int) -> None:
    """Write the result, and exit without the command's clean-up."""
    code = 1
    try:
        with os.fdopen(target, "wb") as stream:
            stream.write(work())
        code = 0
    finally:
        os._exit(code)
