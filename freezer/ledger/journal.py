"""The journal of runs under way: files next to the ledger, written before the database is asked.

What is in a journal is not lost when the process is killed, the disk of the database fills up or
its server goes away: the next command records it. One file a run, a line of JSON for each state and
each batch of metrics; it is removed once the database has the run's last state.
"""

from __future__ import annotations

import fcntl
import json
import os
from base64 import b64decode, b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

from freezer.ledger.left import SUFFIX
from freezer.ledger.series import Points, joined, packed, unpacked
from freezer.model.record.run import read_new_run, run_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freezer.model.record.run import Run

RESERVE: Final = 512 << 10
"""Bytes on the disk that are reserved for a run's last state."""


class Journal:
    """The open journal of one run; its lock shows that the process is alive."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        # Named once it is locked, so that no process takes it for that of a dead one.
        temporary = path.with_suffix(".new")
        self._stream = temporary.open("ab", buffering=0)
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX)
            self._reserve()
            temporary.replace(path)
        except OSError:
            self.close()
            temporary.unlink(missing_ok=True)
            raise

    def run(self, run: Run) -> None:
        """Write the run's state; it is on the disk when this returns."""
        self._write({"run": json.loads(run_bytes(run))})

    def last(self, run: Run) -> None:
        """Write the run's last state, for which space was reserved when the journal was opened."""
        _reserve_of(self.path).unlink(missing_ok=True)
        self.run(run)

    def metrics(self, metrics: Mapping[str, Points]) -> None:
        """Write a batch of points; it is on the disk when this returns."""
        self._write({"metrics": {name: _text(points) for name, points in metrics.items()}})

    def content(self, data: bytes) -> None:
        """Write content that the run refers to by digest."""
        self._write({"content": b64encode(data).decode()})

    def done(self) -> None:
        """Remove the journal: the database has everything."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leave the journal to the next command."""
        _reserve_of(self.path).unlink(missing_ok=True)
        self._stream.close()

    def _reserve(self) -> None:
        """Reserve space on the disk: a training that fills it must not prevent its own record."""
        with _reserve_of(self.path).open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, RESERVE)

    def _write(self, document: dict[str, Any]) -> None:
        line = json.dumps(document, separators=(",", ":")).encode() + b"\n"
        handle, end = self._stream.fileno(), self._stream.seek(0, os.SEEK_END)
        try:
            while line:
                line = line[self._stream.write(line) :]
            os.fsync(handle)
        except OSError:
            with suppress(OSError):  # an incomplete line would corrupt the next one
                os.ftruncate(handle, end)
            raise


@dataclass
class Left:
    """What a dead process left in a journal."""

    path: Path
    run: Run
    metrics: dict[str, Points] = field(default_factory=dict)
    contents: list[bytes] = field(default_factory=list)
    read_before: bool = False
    """Whether a command began to read the training's files and did not finish."""


@contextmanager
def reading_once(path: Path) -> Iterator[None]:
    """Mark a dead process's journal while a block reads what its training wrote.

    A command that is killed in the block leaves the mark. The journal's time, which is that of the
    run's end, stays as it is. Raises ``OSError`` where the journal cannot be written.
    """
    before = path.stat()
    with path.open("ab", buffering=0) as stream:
        try:
            stream.write(b'\n{"reading":true}\n')  # the last line may be cut short
            os.fsync(stream.fileno())
            yield
        finally:
            os.ftruncate(stream.fileno(), before.st_size)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def dead_journals(folder: Path) -> Iterator[Left]:
    """Yield the journals of dead processes, each locked while the caller has it.

    So two commands never record the same one at once. A last line that a kill cut short is left
    out; a file without any state of a run is removed: its run never began.
    """
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with suppress(OSError), path.open("r+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its writer lives
            if not path.exists():  # another command has recorded it
                continue
            found = _read(path, stream)
            _reserve_of(path).unlink(missing_ok=True)
            if found is None:
                path.unlink(missing_ok=True)
            else:
                yield found


def read_journal(path: Path) -> Left | None:
    """Return the content of a journal so far, even while it is written; None if there is none."""
    try:
        with path.open("rb") as stream:
            return _read(path, stream)
    except OSError:
        return None


def _reserve_of(path: Path) -> Path:
    return path.with_suffix(".reserve")


def _read(path: Path, stream: IO[bytes]) -> Left | None:
    run: Run | None = None
    parts: dict[str, list[Points]] = {}
    contents: list[bytes] = []
    read_before = False
    for line in stream:
        if not line.endswith(b"\n"):
            break  # cut short
        try:
            document = json.loads(line)
            if "run" in document:
                run = read_new_run(json.dumps(document["run"]))
            for name, columns in document.get("metrics", {}).items():
                parts.setdefault(name, []).append(unpacked(*map(b64decode, columns)))
            read_before = read_before or "reading" in document
            if "content" in document:
                contents.append(b64decode(document["content"]))
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue  # corrupt; the other lines count
    if run is None:
        return None
    metrics = {name: joined(some) for name, some in parts.items()}
    return Left(path, run, metrics, contents, read_before)


def _text(points: Points) -> list[str]:
    return [b64encode(column).decode() for column in packed(points)]
