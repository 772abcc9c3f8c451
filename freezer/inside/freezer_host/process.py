"""Programs with a time limit and bounded output, and their end when the job is cancelled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Any, Callable, List, NamedTuple, Optional, Sequence

_BLOCK = 1 << 16
_KEPT = 4000
"""Bytes of a program's errors that are kept, from the end."""
_cleanups: List[Callable[[], object]] = []


class Done(NamedTuple):
    """How a program ended."""

    exit: int
    """127 when it could not be started, 124 when the time was over."""
    out: bytes
    errors: str

    @property
    def why(self) -> str:
        """The last line of its errors."""
        lines = self.errors.strip().splitlines() or ["exit status %d" % self.exit]
        return lines[-1][:500]


def call(command: Sequence[str], timeout: float = 60.0, largest: int = 1 << 20) -> Done:
    """Run a program to its end; keep the first ``largest`` bytes of its output."""
    kept: List[bytes] = []
    room = [largest]

    def keep(block: bytes) -> None:
        kept.append(block[: room[0]])
        room[0] -= len(kept[-1])

    code, errors = stream(command, timeout, keep)
    return Done(code, b"".join(kept), errors)


def stream(command: Sequence[str], timeout: float, on_output: Callable[[bytes], None]) -> Any:
    """Run a program, pass on its output as it comes; return its exit status and last errors."""
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return 127, "%s: %s" % (command[0], error.strerror)
    tail = _Tail(process.stderr)
    tail.start()
    reader = threading.Thread(target=_pass_on, args=(process.stdout, on_output), daemon=True)
    reader.start()
    late = False
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        late = True
        _kill(process)
        process.wait()
    reader.join(10.0)
    tail.join(10.0)
    return (124 if late else process.returncode), tail.text()


def _pass_on(source: Optional[IO[bytes]], on_output: Callable[[bytes], None]) -> None:
    while source is not None:
        block = os.read(source.fileno(), _BLOCK)
        if not block:
            return
        on_output(block)


def _kill(process: Any) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


class _Tail(threading.Thread):
    """Keeps the end of a stream."""

    def __init__(self, source: Optional[IO[bytes]]) -> None:
        super().__init__(daemon=True)
        self._source, self._last = source, b""

    def run(self) -> None:
        """Read until the other end is closed."""
        _pass_on(self._source, self._add)

    def _add(self, block: bytes) -> None:
        self._last = (self._last + block)[-_KEPT:]

    def text(self) -> str:
        """Return what was kept."""
        return self._last.decode("utf-8", "replace")


def at_end(cleanup: Callable[[], object]) -> None:
    """Have something done when the job is ended from outside."""
    _cleanups.append(cleanup)


def end_on_signals() -> None:
    """End with the clean-ups when Slurm cancels the job, which sends SIGTERM before SIGKILL."""

    def end(number: int, _: object) -> None:
        for cleanup in _cleanups:
            cleanup()
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def waited(seconds: float) -> None:
    """Pause."""
    time.sleep(seconds)
