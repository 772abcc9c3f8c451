"""Fetches blobs of a registry into the store: resumable, verified by hash."""

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
"""Maximum consecutive interruptions without progress."""
_PAUSE = 0.5
"""Pause after the first interruption in seconds; doubled each time."""
_TURN = 3600.0
"""Maximum seconds to wait for another process that fetches the same blob."""


def fetch_blob(
    repository: Repository, blob: Descriptor, *, store: Store, advance: Callable[[int], None]
) -> Path:
    """Return a blob's path in the store, fetched if missing.

    Raises ``FetchError`` when the registry cannot be reached or lacks it, ``IntegrityError`` when
    it serves other bytes.
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
                # The partial file may have been corrupt; start again, once.
                _complete(repository, blob, partial, store, mark)
    mark.reach(blob.size)
    return store.verified(sha256)


def read_blob(repository: Repository, blob: Descriptor, what: str, limit: int) -> bytes:
    """Return a small blob, verified by its digest. Raises ``FetchError`` beyond ``limit``."""
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
                hint="repeat the command; it resumes the download",
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
    with repository.request("GET", url, headers=headers) as response, store_errors(store.root):
        if response.status_code == 416:
            partial.unlink(missing_ok=True)
            return
        repository.require_success(response, f"blob {blob.digest}")
        start = start if response.status_code == 206 else 0
        with partial.open("ab" if start else "wb") as stream:
            for block in blocks_of(url, response):
                start += len(block)
                if start > blob.size:
                    partial.unlink(missing_ok=True)
                    raise _other_bytes(repository, blob, f"more than {blob.size} bytes")
                stream.write(block)
                mark.reach(start)


def _other_bytes(repository: Repository, blob: Descriptor, found: str | None) -> IntegrityError:
    return IntegrityError(
        f"the registry {repository.name.registry} served bytes of another digest",
        found=found,
        expected=blob.digest,
        hint="do not use that registry, or the mirror before it, until you know why",
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
