"""Fetches artifacts into the store: in parallel, resumable, verified by SHA-256."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from freezer.errors import ArtifactGoneError, FetchError, IntegrityError
from freezer.fetch.http.client import NotFoundError, RangeUnsupportedError, open_url
from freezer.fetch.http.redact import redact
from freezer.fetch.store.atomic import store_errors
from freezer.fetch.store.interface import Location
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from freezer.fetch.store.interface import Source
    from freezer.fetch.store.store import Store
    from freezer.model.artifact import Artifact
    from freezer.model.events import Reporter, Task


_PATIENCE = 3600.0
"""Maximum seconds to wait for another process that fetches the same file."""


def fetch_all(
    artifacts: Iterable[Artifact],
    *,
    store: Store,
    sources: Sequence[Source],
    report: Reporter,
    jobs: int = 8,
) -> dict[str, Path]:
    """Return the path in the store of every artifact, by SHA-256; fetch missing ones.

    Raises ``IntegrityError`` when a source serves other bytes than the locked ones,
    ``ArtifactGoneError`` with all that no source has any more, ``FetchError`` when a source cannot
    be reached. Files that did arrive stay in the store in any case.
    """
    needed = {artifact.sha256: artifact for artifact in artifacts}
    missing = [artifact for sha256, artifact in needed.items() if not store.has(sha256)]
    missing.sort(key=lambda artifact: -artifact.size)
    if missing:
        _fetch_missing(missing, store, sources, report, jobs)
    return {sha256: store.verified(sha256) for sha256 in needed}


def _fetch_missing(
    missing: Sequence[Artifact],
    store: Store,
    sources: Sequence[Source],
    report: Reporter,
    jobs: int,
) -> None:
    total = sum(artifact.size for artifact in missing)
    title = f"Fetching {len(missing)} file{'s' if len(missing) != 1 else ''}"
    with (
        report.task(title, total=total, unit="bytes") as task,
        ThreadPoolExecutor(max_workers=jobs) as pool,
    ):
        results = list(pool.map(lambda item: _attempt(item, store, sources, task), missing))
    failures = [(item, error) for item, error in zip(missing, results, strict=True) if error]
    if failures:
        raise _summary(failures)


def _attempt(
    artifact: Artifact, store: Store, sources: Sequence[Source], task: Task
) -> FetchError | IntegrityError | None:
    try:
        fetch_one(artifact, store=store, sources=sources, task=task)
    except (FetchError, IntegrityError) as error:
        return error
    return None


def fetch_one(artifact: Artifact, *, store: Store, sources: Sequence[Source], task: Task) -> None:
    """Fetch one artifact into the store, from the first address that has it.

    Of two processes that need the same file the second waits and finds it there.
    """
    with store.lock(f"fetch-{artifact.sha256[:16]}", timeout=_PATIENCE, report=SilentReporter()):
        if not store.has(artifact.sha256):
            _from_first(artifact, store, sources, task)


def _from_first(artifact: Artifact, store: Store, sources: Sequence[Source], task: Task) -> None:
    failure: FetchError | None = None
    for location in _locations(artifact, sources):
        try:
            _download(artifact, location, store, task)
        except NotFoundError:
            continue
        except FetchError as error:
            failure = failure or error
        else:
            return
    if failure is not None:
        raise failure
    raise ArtifactGoneError(f"no source has {artifact.file} any more")


def _locations(artifact: Artifact, sources: Sequence[Source]) -> Iterator[Location]:
    if artifact.source == "url" and artifact.url is not None:
        yield Location(artifact.url)
    for source in sources:
        if source.serves(artifact):
            yield from source.locate(artifact)


def _download(artifact: Artifact, location: Location, store: Store, task: Task) -> None:
    """Download to the partial file, resuming one of an earlier run."""
    partial = store.partial(artifact.sha256)
    resumed = _size(partial) > 0
    found = _persist(artifact, location, partial, store, task)
    if found != artifact.sha256 and resumed:
        # The partial file may have been another file's, or corrupt; start again, once.
        partial.unlink(missing_ok=True)
        found = _persist(artifact, location, partial, store, task)
    if found != artifact.sha256:
        partial.unlink(missing_ok=True)
        raise IntegrityError(
            f"{artifact.file} from {redact(location.url)} is not the file that was locked",
            found=f"sha256 {found}",
            expected=f"sha256 {artifact.sha256}",
            hint="do not use that source until you know why: it may be stale or tampered with",
        )
    store.put_file(partial, sha256=artifact.sha256, move=True)


def _persist(
    artifact: Artifact, location: Location, partial: Path, store: Store, task: Task
) -> str:
    """Receive; after a broken connection resume, as long as there is progress."""
    while True:
        before = _size(partial)
        try:
            return _receive(artifact, location, partial, store, task)
        except RangeUnsupportedError:
            partial.unlink(missing_ok=True)
        except NotFoundError:
            raise
        except FetchError:
            if _size(partial) <= before:
                raise


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _receive(
    artifact: Artifact, location: Location, partial: Path, store: Store, task: Task
) -> str:
    hasher, start = hashlib.sha256(), 0
    if partial.exists():
        hasher, start = _hash_so_far(partial)
    with open_url(location.url, start=start) as response, store_errors(store.root):
        if response.start == 0:
            hasher = hashlib.sha256()
        task.advance(response.start)
        received = response.start
        with partial.open("r+b" if response.start else "wb") as stream:
            stream.seek(response.start)
            for block in response.blocks():
                received += len(block)
                if received > artifact.size:
                    partial.unlink(missing_ok=True)
                    raise _too_large(artifact, location)
                stream.write(block)
                hasher.update(block)
                task.advance(len(block))
    if (
        received < artifact.size
        and response.size is not None
        and received - response.start < response.size
    ):
        raise FetchError(
            f"{redact(location.url)} ended after {received} of {artifact.size} bytes",
            hint="repeat the command; it resumes the download",
        )
    return hasher.hexdigest()


def _too_large(artifact: Artifact, location: Location) -> IntegrityError:
    return IntegrityError(
        f"{redact(location.url)} serves more bytes than the locked file has",
        expected=f"{artifact.size} bytes",
        hint="do not use that source until you know why",
    )


def _hash_so_far(partial: Path) -> tuple[hashlib._Hash, int]:
    hasher, size = hashlib.sha256(), 0
    with partial.open("rb") as stream:
        while block := stream.read(1 << 20):
            hasher.update(block)
            size += len(block)
    return hasher, size


def _summary(
    failures: Sequence[tuple[Artifact, FetchError | IntegrityError]],
) -> FetchError | IntegrityError:
    """Return one error for all failures; tampering before absence before the network."""
    for _, error in failures:
        if isinstance(error, IntegrityError):
            return error
    missing = [item for item, error in failures if isinstance(error, ArtifactGoneError)]
    if not missing:
        return failures[0][1]
    return ArtifactGoneError(
        f"{len(missing)} locked file{'s are' if len(missing) != 1 else ' is'} no longer "
        "at any source",
        details=[f"{item.file} ({item.source}, sha256 {item.sha256[:12]})" for item in missing],
        hint="fetch on a machine whose store still has them, configure a mirror or a dated "
        "snapshot that does, or lock again with `freeze lock --upgrade`",
    )
