"""Hashes the files of a data set: one worker process for each CPU, fed in batches."""

from __future__ import annotations

import os
import sys
from array import array
from collections import deque
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from freezer.data import worker
from freezer.data.entry import NUMBERS, SIZE, Stat
from freezer.errors import DataError, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freezer.model.events import Task

BATCH_FILES: Final = 1024
BATCH_BYTES: Final = 32 << 20
"""Bytes of one batch: small enough that workers finish together."""
FEW: Final = 16
"""Up to this many files no worker is started: starting it would take longer."""
_DIGITS: Final = 64
"""Of a SHA-256."""


class Hashed(NamedTuple):
    """The results for files, in the order in which they were given."""

    numbers: array[int]
    """`NUMBERS` of each file as it was when it was read."""
    digests: list[str]


class _Batch(NamedTuple):
    place: int
    """Of its first file."""
    paths: Sequence[str]
    size: int
    """Bytes of all files."""


def hash_paths(
    root: Path,
    paths: Sequence[str],
    sizes: Sequence[int],
    task: Task,
    *,
    name: str,
    workers: int | None = None,
) -> Hashed:
    """Return the SHA-256 of files below a folder, and what they were when they were read.

    ``task`` advances by bytes. Raises ``DataError`` for a file that cannot be read or that changes
    while it is read.
    """
    batches = deque(_batches(paths, sizes))
    answers: dict[int, bytes] = {}
    lock = Lock()

    def work(answer: Callable[[Sequence[str]], bytes]) -> None:
        while True:
            with lock:
                if not batches:
                    return
                batch = batches.popleft()
            found = _good(answer(batch.paths), batch, root, name)
            with lock:
                answers[batch.place] = found
                task.advance(batch.size)

    if len(paths) <= FEW and sum(sizes) <= BATCH_BYTES:
        work(lambda some: worker.answer([os.fsencode(root / path) for path in some]))
    else:
        count = min(workers or available_cpus(), len(batches))
        try:
            _in_workers(root, count, work)
        finally:
            batches.clear()  # after a failure the others finish their current batch
    return _joined([answers[place] for place in sorted(answers)])


def hash_files(
    root: Path, files: Sequence[Stat], task: Task, *, name: str, workers: int | None = None
) -> dict[str, tuple[Stat, str]]:
    """Return the same for each file by path: what it was when it was read, and its SHA-256."""
    paths = [file.path for file in files]
    found = hash_paths(root, paths, [file.size for file in files], task, name=name, workers=workers)
    columns = (iter(found.numbers),) * NUMBERS
    return {
        path: (Stat(path, "f", *numbers[SIZE:]), sha256)
        for path, numbers, sha256 in zip(
            paths, zip(*columns, strict=True), found.digests, strict=True
        )
    }


def available_cpus() -> int:
    """Return the number of CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


def _batches(paths: Sequence[str], sizes: Sequence[int]) -> list[_Batch]:
    """Return batches, the largest first, so that no worker starts a large file last."""
    done: list[_Batch] = []
    start = size = 0
    for place, one in enumerate(sizes):
        if place > start and (place - start >= BATCH_FILES or size + one > BATCH_BYTES):
            done.append(_Batch(start, paths[start:place], size))
            start, size = place, 0
        size += one
    if start < len(paths):
        done.append(_Batch(start, paths[start:], size))
    return sorted(done, key=lambda batch: batch.size, reverse=True)


def _in_workers(
    root: Path, count: int, work: Callable[[Callable[[Sequence[str]], bytes]], None]
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def run() -> None:
        with _Worker(root) as running:
            work(running.answer)

    with ThreadPoolExecutor(max(1, count)) as pool:
        for future in [pool.submit(run) for _ in range(count)]:
            future.result()


def _joined(answers: Sequence[bytes]) -> Hashed:
    """Return the answers of all batches, in their order, as columns."""
    numbers, digests = array("q"), []
    for one in answers:
        end = len(one) // (NUMBERS * 8 + _DIGITS) * NUMBERS * 8
        numbers.frombytes(one[:end])
        digits = one[end:].decode("ascii")
        digests += [digits[at : at + _DIGITS] for at in range(0, len(digits), _DIGITS)]
    return Hashed(numbers, digests)


class _Worker:
    """One worker process, for the length of a ``with`` block."""

    def __init__(self, root: Path) -> None:
        import subprocess

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

    def answer(self, paths: Sequence[str]) -> bytes:
        """Return the answer for a batch; it is incomplete if the worker was killed."""
        sent, received = self._process.stdin, self._process.stdout
        if sent is None or received is None:
            raise AssertionError
        data = "\0".join([*paths, ""]).encode()
        # A worker that died is noticed by its incomplete answer.
        with suppress(BrokenPipeError):
            sent.write(len(data).to_bytes(8, "big") + data)
            sent.flush()
        kind = received.read(1)
        length = 16 if kind == b"!" else len(paths) * (NUMBERS * 8 + _DIGITS)
        return kind + received.read(length)


def _good(answer: bytes, batch: _Batch, root: Path, name: str) -> bytes:
    """Return an answer without its first byte. Raises ``DataError`` for a failure."""
    if answer[:1] == b"=" and len(answer) == 1 + len(batch.paths) * (NUMBERS * 8 + _DIGITS):
        return answer[1:]
    if answer[:1] == b"!" and len(answer) == 17:
        place, error = array("q", answer[1:])
        raise _failure(error, Where(str(root / batch.paths[place])), name)
    raise DataError(
        f"hashing data set {name!r} was killed",
        where=Where(str(root / batch.paths[0])),
    )


def _failure(error: int, where: Where, name: str) -> DataError:
    if error == 0:
        return DataError(
            f"a file of data set {name!r} changed while it was being read",
            where=where,
            hint="wait until nothing writes to it, then run the command again",
        )
    return DataError(
        f"a file of data set {name!r} cannot be read", where=where, found=os.strerror(error)
    )
