"""Fetch blobs of a registry into the store: resumed where they broke off, verified by hash."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.http.client import BrokenOffError
from freezer.fetch.registry.body import blocks_of
from freezer.fetch.registry.manifest import require_digest
from freezer.fetch.store.atomic import store_errors
from freezer.fetch.store.progress import ProgressMark
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freezer.fetch.registry.manifest import Descriptor
    from freezer.fetch.registry.repository import Repository
    from freezer.fetch.store.store import Store

_PATIENCE = 4
"""Interruptions without a single byte between them after which it is given up."""
_PAUSE = 0.5
"""Seconds after the first interruption; doubled with each that follows."""
_TURN = 3600.0
"""Seconds that one process waits while another fetches the same blob."""


def fetch_blob(
    repository: Repository, blob: Descriptor, *, store: Store, advance: Callable[[int], None]
) -> Path:
    """Return a blob's path in the store, fetched where it is not there.

    Raises ``FetchError`` when the registry is out of reach or lacks it, ``IntegrityError`` when it
    serves other bytes.
    """
    sha256 = blob.digest.removeprefix("sha256:")
    mark = ProgressMark(advance)
    with store.lock(f"fetch-{sha256[:16]}", timeout=_TURN, report=SilentReporter()):
        if not store.has(sha256):
            partial = store.partial(sha256)
            resumed = partial.exists()
            try:
                _complete(repository, blob, partial, store, mark)
            except IntegrityError:
                if not resumed:
                    raise
                # The part on disk may have been corrupt; whole again, once.
                _complete(repository, blob, partial, store, mark)
    mark.reach(blob.size)
    return store.verified(sha256)


def read_blob(repository: Repository, blob: Descriptor, what: str, limit: int) -> bytes:
    """Return a small blob, compared with its digest. Raises ``FetchError`` beyond ``limit``."""
    data = repository.read(f"blobs/{blob.digest}", what, limit=limit)
    require_digest(what, data, blob.digest)
    return data


def _complete(
    repository: Repository, blob: Descriptor, partial: Path, store: Store, mark: ProgressMark
) -> None:
    failures, furthest = 0, _size(partial)
    while _size(partial) < blob.size or not partial.exists():
        try:
            _receive(repository, blob, partial, store, mark)
            reason = FetchError(f"the registry ended after {_size(partial)} of {blob.size} bytes")
        except BrokenOffError as error:
            reason = error
            time.sleep(_PAUSE * 2**failures)
        failures = 0 if _size(partial) > furthest else failures + 1
        furthest = max(furthest, _size(partial))
        if failures > _PATIENCE:
            raise FetchError(
                f"fetching from the registry {repository.name.registry} broke off",
                found=reason.found or reason.what,
                hint="run the command again; it goes on where it stopped",
            )
    try:
        store.put_file(partial, sha256=blob.digest.removeprefix("sha256:"), move=True)
    except IntegrityError as error:
        partial.unlink(missing_ok=True)
        raise _other_bytes(repository, blob, error.found) from error


def _receive(
    repository: Repository, blob: Descriptor, partial: Path, store: Store, mark: ProgressMark
) -> None:
    start, url = _size(partial), repository.address(f"blobs/{blob.digest}")
    headers = {"Range": f"bytes={start}-"} if start else {}
    with repository.ask("GET", url, headers=headers) as answer, store_errors(store.root):
        if answer.status_code == 416:
            partial.unlink(missing_ok=True)
            return
        repository.require_success(answer, f"blob {blob.digest}")
        start = start if answer.status_code == 206 else 0
        with partial.open("ab" if start else "wb") as stream:
            for block in blocks_of(url, answer):
                start += len(block)
                if start > blob.size:
                    partial.unlink(missing_ok=True)
                    raise _other_bytes(repository, blob, f"more than {blob.size} bytes")
                stream.write(block)
                mark.reach(start)


def _other_bytes(repository: Repository, blob: Descriptor, found: str | None) -> IntegrityError:
    return IntegrityError(
        f"the registry {repository.name.registry} served other bytes than were asked for",
        found=found,
        expected=blob.digest,
        hint="do not use that registry, or the mirror before it, until you know why",
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
