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
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freezer.ledger.series import Points, joined, packed, unpacked
from freezer.model.record.run import read_run, run_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freezer.model.record.run import Run

SUFFIX = ".jsonl"


class Journal:
    """The open journal of one run; its lock says that the process lives."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._stream = path.open("ab")
        fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def run(self, run: Run) -> None:
        """Keep the run's state. On the disk when this returns."""
        self._write({"run": json.loads(run_bytes(run))})

    def metrics(self, metrics: Mapping[str, Points]) -> None:
        """Keep a batch of points. On the disk when this returns."""
        self._write({"metrics": {name: _text(points) for name, points in metrics.items()}})

    def content(self, data: bytes) -> None:
        """Keep a content that the run refers to by digest."""
        self._write({"content": b64encode(data).decode()})

    def done(self) -> None:
        """Remove the journal: the database has all of it."""
        self.path.unlink(missing_ok=True)
        self._stream.close()

    def close(self) -> None:
        """Leave the journal to the next command."""
        self._stream.close()

    def _write(self, document: dict[str, Any]) -> None:
        self._stream.write(json.dumps(document, separators=(",", ":")).encode() + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())


@dataclass
class Left:
    """What a journal holds."""

    path: Path
    run: Run
    metrics: dict[str, Points] = field(default_factory=dict)
    contents: list[bytes] = field(default_factory=list)
    alive: bool = False
    """Whether the process that writes it still runs."""


def left_behind(folder: Path) -> Iterator[Left]:
    """Yield the journals in a folder, those of living processes marked.

    A last line that a kill cut short is left out; a file without any state of a run as well.
    """
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with suppress(OSError):
            found = _read(path)
            if found is not None:
                yield found


def _read(path: Path) -> Left | None:
    with path.open("rb") as stream:
        alive = not _lock(stream.fileno())
        lines = stream.read().split(b"\n")[:-1]  # behind the last line feed: cut short
    run: Run | None = None
    parts: dict[str, list[Points]] = {}
    contents: list[bytes] = []
    for line in lines:
        try:
            document = json.loads(line)
            if "run" in document:
                run = read_run(json.dumps(document["run"]))
            for name, columns in document.get("metrics", {}).items():
                parts.setdefault(name, []).append(unpacked(*map(b64decode, columns)))
            if "content" in document:
                contents.append(b64decode(document["content"]))
        except (ValueError, TypeError, AttributeError):
            continue  # spoiled; the other lines stand
    if run is None:
        return None
    metrics = {name: joined(some) for name, some in parts.items()}
    return Left(path, run, metrics, contents, alive)


def _lock(handle: int) -> bool:
    """Say whether nobody else holds the file."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(handle, fcntl.LOCK_UN)
    return True


def _text(points: Points) -> list[str]:
    return [b64encode(column).decode() for column in packed(points)]
