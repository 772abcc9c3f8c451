"""Hashing the files of a data set: one worker process a CPU, fed in batches."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from freezer.data import worker
from freezer.data.entry import Stat
from freezer.errors import DataError, Where

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.model.events import Task

BATCH_FILES = 256
BATCH_BYTES = 32 << 20
"""Of one batch: small enough that workers end together."""
FEW = 16
"""Files up to which no worker is started: that takes longer than they do."""


def hash_files(
    root: Path, files: Sequence[Stat], task: Task, *, name: str, workers: int | None = None
) -> dict[str, tuple[Stat, str]]:
    """Return for each file what it was when it was read, and the SHA-256 of its bytes.

    ``task`` advances by bytes. Raises ``DataError`` for a file that cannot be read or that changes
    while it is read.
    """
    if not files:
        return {}
    batches = deque(_batches(files))
    count = min(workers or available_cpus(), len(batches))
    if len(files) <= FEW and sum(file.size for file in files) <= BATCH_BYTES:
        return _here(root, files, task, name)
    found: dict[str, tuple[Stat, str]] = {}
    lock = Lock()

    def work() -> None:
        with _Worker(root, name) as running:
            while True:
                with lock:
                    if not batches:
                        return
                    batch = batches.popleft()
                answers = running.hash(batch)
                with lock:
                    found.update(answers)
                    task.advance(sum(file.size for file in batch))

    with ThreadPoolExecutor(count) as pool:
        try:
            for future in [pool.submit(work) for _ in range(count)]:
                future.result()
        finally:
            batches.clear()  # after a failure the others end with the batch they are in
    return found


def available_cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0))


def _batches(files: Iterable[Stat]) -> list[list[Stat]]:
    """Return batches, those of the most bytes first: no worker begins a large file last."""
    done: list[list[Stat]] = []
    batch: list[Stat] = []
    size = 0
    for file in files:
        if batch and (len(batch) >= BATCH_FILES or size + file.size > BATCH_BYTES):
            done.append(batch)
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        done.append(batch)
    return sorted(done, key=lambda one: sum(file.size for file in one), reverse=True)


def _here(root: Path, files: Sequence[Stat], task: Task, name: str) -> dict[str, tuple[Stat, str]]:
    found = {}
    for file in files:
        line = worker.line(os.fsencode(root / file.path))
        found[file.path] = _answer(line, file, root, name)
        task.advance(file.size)
    return found


class _Worker:
    """One worker process, for the length of a ``with`` block."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._name = name
        script = str(Path(worker.__file__))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-E", script, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=-1,
        )

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        self._process.wait()

    def hash(self, batch: Sequence[Stat]) -> dict[str, tuple[Stat, str]]:
        """Return the answers for a batch. Raises ``DataError``."""
        sent, received = self._process.stdin, self._process.stdout
        if sent is None or received is None:
            raise AssertionError
        paths = b"".join(os.fsencode(file.path) + b"\0" for file in batch)
        # A worker that has ended is noticed below, where its answers are missing.
        with suppress(BrokenPipeError):
            sent.write(len(paths).to_bytes(8, "big") + paths)
            sent.flush()
        return {
            file.path: _answer(received.readline(), file, self._root, self._name) for file in batch
        }


def _answer(line: bytes, file: Stat, root: Path, name: str) -> tuple[Stat, str]:
    """Return what a worker answered for a file. Raises ``DataError`` for a failure."""
    if line[:1] != b"!" and line[-1:] == b"\n":
        sha256, size, inode, mtime, ctime = line.split()
        state = Stat(file.path, "f", int(size), int(inode), int(mtime), int(ctime))
        return state, sha256.decode()
    raise _failure(line, Where(str(root / file.path)), name)


def _failure(line: bytes, where: Where, name: str) -> DataError:
    if not line.endswith(b"\n"):
        return DataError(f"hashing data set {name!r} was ended from outside", where=where)
    number = int(line[1:])
    if number == 0:
        return DataError(
            f"a file of data set {name!r} changed while it was read",
            where=where,
            hint="wait for the writing process, then run the command again",
        )
    return DataError(
        f"a file of data set {name!r} cannot be read", where=where, found=os.strerror(number)
    )
