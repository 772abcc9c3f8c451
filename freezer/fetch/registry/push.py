"""Push images to a registry: existing blobs are skipped, interrupted uploads are resumed.

Protocol: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.http.client import BrokenOffError
from freezer.fetch.registry.manifest import ACCEPTED
from freezer.fetch.store.progress import ProgressMark
from freezer.model.oci import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from freezer.fetch.registry.repository import Repository

_STARTS = 3
"""How often an upload is begun anew when the registry forgot what it had of it."""
_PATIENCE = 4
"""Interruptions without a single byte between them after which an upload is begun anew."""
_PAUSE = 0.5
"""Seconds after the first interruption; doubled with each that follows."""
_RANGE = re.compile(r"(?:bytes[= ])?0-(\d{1,18})")
_READ = 1 << 16


@dataclass(frozen=True)
class Blob:
    """Bytes to be sent, known by their hash."""

    digest: str
    size: int
    open: Callable[[], IO[bytes]]


class _LostError(Exception):
    """The registry no longer knows of an upload; carries why it came to that."""

    def __init__(self, reason: FetchError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Destination:
    """A repository that is pushed to; may be used by several threads."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def has_blob(self, digest: str) -> bool:
        """Return whether the repository holds a blob."""
        return self._head(f"blobs/{digest}", digest) is not None

    def manifest(self, what: str) -> str | None:
        """Return the digest of the manifest under a tag or digest; None when there is none."""
        headers = self._head(f"manifests/{what}", what)
        return None if headers is None else headers.get("Docker-Content-Digest", "")

    def put_blob(
        self, blob: Blob, advance: Callable[[int], None], *, mount: str | None = None
    ) -> bool:
        """Send a blob; False when the registry took it from the repository ``mount`` instead.

        ``advance`` is told of bytes as they go out, each counted once. Raises ``FetchError`` when
        the registry refuses, or when the connection breaks off again and again;
        ``IntegrityError`` when it received other bytes than were sent.
        """
        mark = ProgressMark(advance)
        for last in (False,) * (_STARTS - 1) + (True,):
            place = self._begin(blob, mount)
            if place is None:
                mark.reach(blob.size)
                return False
            try:
                self._finish(blob, self._pour(blob, place, mark))
            except _LostError as lost:
                if last:
                    raise _broken_off(self._repository, lost.reason) from lost
            else:
                break
        return True

    def put_manifest(self, data: bytes, media: str, tag: str | None = None) -> bool:
        """Put a manifest under its digest or a tag; return whether its subject will list it.

        Raises ``FetchError`` when the registry refuses it, ``IntegrityError`` when it keeps it
        under another digest.
        """
        digest = sha256(data)
        url = self._repository.address(f"manifests/{tag or digest}")
        headers = {"Content-Type": media}
        with self._repository.ask("PUT", url, headers=headers, body=lambda: data) as answer:
            self._repository.require_success(answer, f"the manifest {tag or digest}")
            self._require_digest(answer, digest)
            return "OCI-Subject" in answer.headers

    def _head(self, path: str, what: str) -> Mapping[str, str] | None:
        url = self._repository.address(path)
        accept = "*/*" if path.startswith("blobs") else ", ".join(ACCEPTED)
        with self._repository.ask("HEAD", url, headers={"Accept": accept}) as answer:
            if answer.status_code == 404:
                return None
            self._repository.require_success(answer, what)
            return answer.headers

    def _begin(self, blob: Blob, mount: str | None) -> str | None:
        """Return where to send a blob; None when it could be mounted."""
        url = self._repository.address("blobs/uploads/")
        if mount is not None:
            wish = f"{url}?mount={blob.digest}&from={mount}"
            with self._repository.ask("POST", wish) as answer:
                if answer.status_code == 201:
                    return None
                if answer.status_code == 202:
                    return self._repository.location(url, answer)
        with self._repository.ask("POST", url) as answer:
            self._repository.require_success(
                answer, f"repository {self._repository.name.repository}"
            )
            return self._repository.location(url, answer)

    def _pour(self, blob: Blob, place: str, mark: ProgressMark) -> str:
        """Send all of a blob; return where the upload is to be closed."""
        offset, furthest, failures = 0, 0, 0
        while offset < blob.size:
            reason = FetchError(f"the registry has only {offset} of {blob.size} bytes")
            try:
                place, offset = self._patch(blob, place, offset, mark)
            except BrokenOffError as error:
                reason = error
                time.sleep(_PAUSE * 2**failures)
                place, offset = self._ask_how_far(place, error)
            if offset > blob.size:
                raise _nonsense(self._repository, f"{offset} of {blob.size} bytes")
            failures = 0 if offset > furthest else failures + 1
            furthest = max(furthest, offset)
            if failures > _PATIENCE:
                raise _LostError(reason)
        return place

    def _patch(self, blob: Blob, place: str, offset: int, mark: ProgressMark) -> tuple[str, int]:
        """Send what is left in one request, as Docker does: some registries take no more."""
        headers = {"Content-Type": "application/octet-stream"}
        if offset:
            headers["Content-Range"] = f"{offset}-{blob.size - 1}"
        with blob.open() as stream:
            answer = self._repository.ask(
                "PATCH", place, headers=headers, body=lambda: _Rest(stream, offset, blob, mark)
            )
        with answer:
            if answer.status_code == 416 or answer.status_code >= 500:
                raise BrokenOffError(f"HTTP {answer.status_code} in the middle of an upload")
            if answer.status_code == 404:
                raise _LostError(FetchError("the registry forgot the upload"))
            self._repository.require_success(answer, blob.digest)
            reached = _reached(answer) if "Range" in answer.headers else blob.size
            return self._repository.location(place, answer), reached

    def _ask_how_far(self, place: str, reason: FetchError) -> tuple[str, int]:
        with self._repository.ask("GET", place) as answer:
            if not answer.ok or "Range" not in answer.headers:
                raise _LostError(reason)
            following = place
            if "Location" in answer.headers:
                following = self._repository.location(place, answer)
            return following, _reached(answer)

    def _finish(self, blob: Blob, place: str) -> None:
        url = f"{place}{'&' if '?' in place else '?'}digest={blob.digest}"
        try:
            answer = self._repository.ask("PUT", url)
        except BrokenOffError as error:
            if self.has_blob(blob.digest):
                return  # only the answer was lost
            raise _LostError(error) from error
        with answer:
            if answer.status_code in (404, 416) or answer.status_code >= 500:
                raise _LostError(FetchError(f"HTTP {answer.status_code} at the end of an upload"))
            self._repository.require_success(answer, blob.digest)
            self._require_digest(answer, blob.digest)

    def _require_digest(self, answer: requests.Response, digest: str) -> None:
        found = answer.headers.get("Docker-Content-Digest", digest)
        if found != digest:
            raise IntegrityError(
                f"the registry {self._repository.name.registry} keeps something else than was sent",
                found=found,
                expected=digest,
                hint="do not use that registry, or the proxy before it, until you know why",
            )


class _Rest:
    """A blob from some offset on, in the form that ``requests`` sends with a length."""

    def __init__(self, stream: IO[bytes], offset: int, blob: Blob, mark: ProgressMark) -> None:
        stream.seek(offset)
        self._stream = stream
        self._position = offset
        self._size = blob.size
        self._mark = mark

    def __len__(self) -> int:
        return self._size - self._position

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(_READ):
            yield block

    def read(self, amount: int) -> bytes:
        block = self._stream.read(max(amount, _READ))
        self._position += len(block)
        self._mark.reach(self._position)
        return block


def _reached(answer: requests.Response) -> int:
    """Return how many bytes the registry has; it says ``0-0`` of one byte and of none."""
    found = _RANGE.fullmatch(answer.headers.get("Range", ""))
    last = int(found[1]) if found else 0
    return last + 1 if last else 0


def _nonsense(repository: Repository, found: str) -> FetchError:
    return FetchError(
        f"the registry {repository.name.registry} reports an impossible state of an upload",
        found=found,
        hint="report it to whoever runs the registry",
    )


def _broken_off(repository: Repository, reason: FetchError) -> FetchError:
    return FetchError(
        f"sending to the registry {repository.name.registry} broke off, {_STARTS} times",
        found=reason.found or reason.what,
        hint="run the command again; what arrived whole is not sent again",
    )
