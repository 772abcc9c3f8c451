"""Recorded states of data sets, kept in the project: `.freezer/data/`.

A record is small: digest, counts, and the SHA-256 of the list of members, which is kept next to it.
Unlike the store, which can be thrown away, it is what later states are compared with.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freezer.data.listing import read_listing
from freezer.errors import DataError, IntegrityError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.model.canonical import digest as sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.data.entry import Member
    from freezer.data.snapshot import Snapshot
    from freezer.flows.project.project import Project

FOLDER = ".freezer/data"
FORMAT = 1
_LARGEST = 64 << 20
"""Bytes of a file of records."""


@dataclass(frozen=True)
class DataRecord:
    """A state of a data set that was recorded."""

    name: str
    digest: str
    members: int
    size: int
    listing: str
    """SHA-256 of its list of members."""
    recorded: str
    """UTC, ``YYYY-MM-DDTHH:MM:SSZ``."""


def records(project: Project, environment: str) -> list[DataRecord]:
    """Return what was recorded for an environment, oldest first.

    Raises ``IntegrityError`` with the line of a file that cannot be read.
    """
    path = _file(project, environment)
    if not path.is_file():
        return []
    shown = str(path.relative_to(project.root))
    if path.stat().st_size > _LARGEST:
        raise IntegrityError(f"the file is larger than {_LARGEST} bytes", where=Where(shown))
    lines = path.read_bytes().splitlines()
    return [_parse(line, Where(shown, number)) for number, line in enumerate(lines, 1)]


def latest(project: Project, environment: str, name: str) -> DataRecord | None:
    """Return the newest record of a data set; None when there is none."""
    found = [one for one in records(project, environment) if one.name == name]
    return found[-1] if found else None


def find(project: Project, environment: str, name: str, digest: str) -> DataRecord:
    """Return the newest record of a set whose digest begins so. Raises ``DataError``."""
    begin = digest.lower().removeprefix("sha256:")
    found = {
        one.digest: one
        for one in records(project, environment)
        if one.name == name and one.digest.removeprefix("sha256:").startswith(begin)
    }
    if len(begin) < 4 or len(found) != 1:
        raise DataError(
            f"no single recorded state of {name!r} has a digest that begins with {digest!r}",
            found=", ".join(one[7:19] for one in found) or "none",
            expected="at least four digits of a digest that `freeze data record` printed",
        )
    return next(iter(found.values()))


def write_record(project: Project, environment: str, snapshot: Snapshot) -> DataRecord:
    """Record a state; the same state twice in a row is one record. Raises ``HostError``."""
    with disk_errors(project.root):
        folder = _file(project, environment).parent
        folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        before = latest(project, environment, snapshot.name)
        if before is not None and before.digest == snapshot.digest:
            return before
        return _add(project, environment, snapshot)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time add records; the lock ends with the process."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _add(project: Project, environment: str, snapshot: Snapshot) -> DataRecord:
    made = DataRecord(
        name=snapshot.name,
        digest=snapshot.digest,
        members=snapshot.members,
        size=snapshot.size,
        listing=snapshot.listing,
        recorded=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    path = _file(project, environment)
    kept = path.read_bytes() if path.is_file() else b""
    with disk_errors(project.root):
        folder = path.parent / "lists"
        folder.mkdir(parents=True, exist_ok=True)
        ignore = project.root / ".freezer" / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        data = project.store.verified(snapshot.listing).read_bytes()
        write_atomically(folder / snapshot.listing, data)
        write_atomically(
            path, kept + json.dumps({"format": FORMAT, **asdict(made)}).encode() + b"\n"
        )
    return made


def recorded_members(project: Project, record: DataRecord) -> list[Member]:
    """Return the members of a recorded state. Raises ``DataError`` when its list is gone."""
    path = project.root / FOLDER / "lists" / record.listing
    shown = f"{FOLDER}/lists/{record.listing}"
    if not path.is_file():
        raise DataError(
            "the list of that state's files is gone",
            where=Where(shown),
            hint="record the data anew (`freeze data record`); from then on changes are listed",
        )
    data = path.read_bytes()
    if sha256_of(data) != record.listing:
        raise IntegrityError("a list of files was edited", where=Where(shown))
    return read_listing(data, shown)


def _file(project: Project, environment: str) -> Path:
    return project.root / FOLDER / f"{environment}.jsonl"


def _parse(line: bytes, where: Where) -> DataRecord:
    try:
        document: Any = json.loads(line)
        if document.pop("format") != FORMAT:
            raise KeyError
        made = DataRecord(**document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        made = None
    texts = made and (made.name, made.digest, made.listing, made.recorded)
    if made is None or not all(isinstance(one, str) for one in texts or ()):
        raise IntegrityError(
            "this is not the record of a data set",
            where=where,
            hint="remove the line; `freeze data record` writes a new one",
        )
    return made
