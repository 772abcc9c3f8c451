"""Chunks: finished pieces of a layer, one for each package, made once and stored.

A chunk is the members of a canonical tar without the end blocks, so a layer is a sequence of
chunks. Each has an index of its contents, by which the image is verified later.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from freezer.errors import IntegrityError
from freezer.fetch.http.zip_errors import zip_errors
from freezer.image.clock import EARLIEST, zip_moment
from freezer.image.tar.canonical import Entry, write_entry
from freezer.image.verify import Expected
from freezer.image.wheel.archive import open_wheel
from freezer.image.wheel.install import Layout, Placed, install, record
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from freezer.fetch.store.store import Store, StoreWriter
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage

_MEMO = "chunk"
_MOMENT = "wheel-moment"
FORMAT = 2
"""Format number; increment when the same wheel would give other bytes or another index."""


@dataclass(frozen=True)
class Chunk:
    """A finished piece of a layer."""

    name: str
    """A name for users: ``numpy 2.4.6``."""
    key: str
    """A digest of all its inputs."""
    sha256: str
    size: int
    index: str
    """SHA-256 of the index, a JSON document in the store."""
    moment: int = EARLIEST
    """The time of its files and bytecode, in seconds since 1970."""

    def expected(self, store: Store) -> Mapping[str, Expected]:
        """Return the contents of a chunk, by absolute path in the image."""
        return read_index(self.index, store)


def read_index(sha256: str, store: Store) -> Mapping[str, Expected]:
    """Return the contents of a chunk, by absolute path in the image, from its index."""
    return _index(store.verified(sha256))


@lru_cache(maxsize=256)  # read three times a build, from a path that is its hash
def _index(path: Path) -> Mapping[str, Expected]:
    document: dict[str, list[Any]] = json.loads(path.read_bytes())
    return {path: Expected._make(facts) for path, facts in document.items()}


def wheel_chunks(
    packages: Sequence[PipPackage], *, layout: Layout, epoch: int, store: Store, report: Reporter
) -> list[Chunk]:
    """Return the chunks of verified wheels, in order; missing ones are made.

    Files have the time of the newest member of their wheel, at most ``epoch``. Raises
    ``IntegrityError`` for a wheel that cannot be installed safely.
    """
    heaviest = sorted(packages, key=lambda package: -package.size)
    with linking(heaviest, layout=layout, epoch=epoch, store=store) as linked:
        found = linked.wait(packages, report)
    return [found[package.name] for package in packages]


class Linking:
    """Wheels that are made into chunks in threads, in the order in which they were given."""

    def __init__(
        self, packages: Sequence[PipPackage], layout: Layout, epoch: int, store: Store
    ) -> None:
        self._pool = ThreadPoolExecutor(max_workers=2)  # inflating and hashing release the GIL
        self._store = store
        moments = {package.name: _moment(package, epoch, store) for package in packages}
        self._keys = {one.name: _key(one, layout, moments[one.name]) for one in packages}
        self._pending = {
            one.name: self._pool.submit(_make, one, layout, moments[one.name], store)
            for one in packages
            if recall(store, _MEMO, self._keys[one.name]) is None
        }

    @property
    def missing(self) -> set[str]:
        """Names of the packages that had no chunk."""
        return set(self._pending)

    def wait(self, packages: Sequence[PipPackage], report: Reporter) -> dict[str, Chunk]:
        """Return the chunks of some of the packages, by name, once they are there.

        Raises as `wheel_chunks` does.
        """
        left = {
            self._pending[one.name]: one
            for one in packages
            if one.name in self._pending and not self._pending[one.name].done()
        }
        if left:
            size = sum(package.size for package in left.values())
            title = f"Linking {len(left)} packages"
            with report.task(title, total=size, unit="bytes") as task:
                for done in as_completed(left):
                    task.describe(left[done].name)
                    task.advance(left[done].size)
        return {one.name: self._chunk(one.name) for one in packages}

    def _chunk(self, name: str) -> Chunk:
        if name in self._pending:
            self._pending[name].result()
        return _require_stored(recall(self._store, _MEMO, self._keys[name]))

    def close(self) -> None:
        """Wait for what was begun; what was not is left."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def linking(
    packages: Sequence[PipPackage], *, layout: Layout, epoch: int, store: Store
) -> Iterator[Linking]:
    """Make the missing chunks of verified wheels while the block runs.

    Files have the time of the newest member of their wheel, at most ``epoch``.
    """
    linked = Linking(packages, layout, epoch, store)
    try:
        yield linked
    finally:
        linked.close()


def recall(store: Store, kind: str, key: str) -> Chunk | None:
    """Return a memoised chunk, if its files are still in the store."""
    chunk = store.get_memo(kind, key, Chunk)
    intact = chunk is not None and store.has(chunk.sha256) and store.has(chunk.index)
    return chunk if intact else None


def remember(store: Store, kind: str, chunk: Chunk) -> Chunk:
    """Memoise a chunk under its key."""
    store.put_memo(kind, chunk.key, vars(chunk))
    return chunk


def data_chunk(
    name: str, members: Mapping[str, tuple[Entry, bytes]], epoch: int, store: Store
) -> Chunk:
    """Return a chunk of small members such as links and settings."""
    index: dict[str, list[Any]] = {}
    with store.writer() as writer:
        for path in sorted(members, key=str.encode):
            entry, data = members[path]
            write_entry(writer, entry, io.BytesIO(data), epoch)
            index |= fact(entry, hashlib.sha256(data).hexdigest())
    listed = store.put_bytes(json_bytes(index))
    return Chunk(name, writer.sha256, writer.sha256, writer.size, listed)


def _moment(package: PipPackage, latest: int, store: Store) -> int:
    key = f"{package.sha256}-{latest}"
    known = store.get_memo(_MOMENT, key, int)
    if known is not None:
        return known
    path = store.verified(package.sha256)
    try:
        with zip_errors(IntegrityError), zipfile.ZipFile(path) as archive:
            found = zip_moment((member.date_time for member in archive.infolist()), latest)
    except IntegrityError:
        return latest  # opening it as a wheel reports what is wrong with it
    store.put_memo(_MOMENT, key, found)
    return found


def _key(package: PipPackage, layout: Layout, epoch: int) -> str:
    origin = [package.requested, package.url, package.commit, package.subdirectory]
    return digest(json_bytes([FORMAT, package.sha256, layout.prefix, layout.python, epoch, origin]))


def _make(package: PipPackage, layout: Layout, epoch: int, store: Store) -> Chunk:
    index: dict[str, list[Any]] = {}
    rows: list[tuple[str, str, int]] = []
    with open_wheel(store.verified(package.sha256), package) as wheel, store.writer() as writer:
        for placed in install(wheel, layout):
            sha256 = _write(placed, layout, epoch, writer)
            rows.append((placed.path, sha256, placed.size))
            index |= fact(placed.entry(layout), sha256)
        last = record(wheel, layout, rows)
        index |= fact(last.entry(layout), _write(last, layout, epoch, writer))
    listed = store.put_bytes(json_bytes(index))
    chunk = Chunk(
        f"{package.name} {package.version}",
        _key(package, layout, epoch),
        writer.sha256,
        writer.size,
        listed,
        epoch,
    )
    return remember(store, _MEMO, chunk)


def _write(placed: Placed, layout: Layout, epoch: int, writer: StoreWriter) -> str:
    """Write one file; return its SHA-256. Reading it to the end compares it with RECORD."""
    with placed.open() as source:
        write_entry(writer, placed.entry(layout), source, epoch)
        if source.read(1):
            raise IntegrityError(f"{placed.path} is longer than its archive declares")
        return source.hexdigest()


def fact(entry: Entry, sha256: str) -> dict[str, list[Any]]:
    """Return an index line; folders are not verified, only their contents."""
    if entry.kind == "symlink":
        return {f"/{entry.path}": ["link", entry.target, 0o777, 0]}
    if entry.kind != "file":
        return {}
    return {f"/{entry.path}": ["file", sha256, entry.mode, entry.size]}


def _require_stored(chunk: Chunk | None) -> Chunk:
    if chunk is None:
        raise IntegrityError("a chunk vanished from the store while it was used", hint="try again")
    return chunk


def expected_files(
    layers: Sequence[Iterable[Chunk]], store: Store
) -> tuple[dict[str, Expected], dict[str, int]]:
    """Return the contents of an image of these layers by path, each with its layer's number.

    A later chunk's file replaces an earlier one's.
    """
    found: dict[str, Expected] = {}
    origin: dict[str, int] = {}
    for number, chunks in enumerate(layers):
        for chunk in chunks:
            contents = chunk.expected(store)
            found |= contents
            origin.update(dict.fromkeys(contents, number))
    return found, origin
