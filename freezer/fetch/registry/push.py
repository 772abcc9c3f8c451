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
"""Maximum restarts of an upload that the registry lost."""
_PATIENCE = 4
"""Consecutive interruptions without progress after which an upload is restarted."""
_PAUSE = 0.5
"""Pause after the first interruption in seconds; doubled each time."""
_RANGE = re.compile(r"(?:bytes[= ])?0-(\d{1,18})")
_READ = 1 << 16


@dataclass(frozen=True)
class Blob:
    """Bytes to upload, by digest."""

    digest: str
    size: int
    open: Callable[[], IO[bytes]]


class _LostError(Exception):
    """The registry has lost an upload; carries the reason."""

    def __init__(self, reason: FetchError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Destination:
    """A repository to push to; thread-safe."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def has_blob(self, digest: str) -> bool:
        """Return whether the repository has a blob."""
        return self._head(f"blobs/{digest}", digest) is not None

    def manifest(self, what: str) -> str | None:
        """Return the digest of the manifest under a tag or digest; None when there is none."""
        headers = self._head(f"manifests/{what}", what)
        return None if headers is None else headers.get("Docker-Content-Digest", "")

    def put_blob(
        self, blob: Blob, advance: Callable[[int], None], *, mount: str | None = None
    ) -> bool:
        """Upload a blob; return False when it was mounted from the repository ``mount``.

        ``advance`` is called with bytes sent, each counted once. Raises ``FetchError`` when the
        registry refuses, or when the connection breaks repeatedly; ``IntegrityError`` when the
        registry received other bytes.
        """
        mark = ProgressMark(advance)
        for last in (False,) * (_STARTS - 1) + (True,):
            location = self._begin(blob, mount)
            if location is None:
                mark.reach(blob.size)
                return False
            try:
                self._finish(blob, self._send_all(blob, location, mark))
            except _LostError as lost:
                if last:
                    raise _broken_off(self._repository, lost.reason) from lost
            else:
                break
        return True

    def put_manifest(self, data: bytes, media: str, tag: str | None = None) -> bool:
        """Upload a manifest under its digest or a tag; return whether its subject will list it.

        Raises ``FetchError`` when the registry rejects it, ``IntegrityError`` when it stores it
        under another digest.
        """
        digest = sha256(data)
        url = self._repository.address(f"manifests/{tag or digest}")
        headers = {"Content-Type": media}
        with self._repository.request("PUT", url, headers=headers, body=lambda: data) as response:
            self._repository.require_success(response, f"the manifest {tag or digest}")
            self._require_digest(response, digest)
            return "OCI-Subject" in response.headers

    def _head(self, path: str, what: str) -> Mapping[str, str] | None:
        url = self._repository.address(path)
        accept = "*/*" if path.startswith("blobs") else ", ".join(ACCEPTED)
        with self._repository.request("HEAD", url, headers={"Accept": accept}) as response:
            if response.status_code == 404:
                return None
            self._repository.require_success(response, what)
            return response.headers

    def _begin(self, blob: Blob, mount: str | None) -> str | None:
        """Return the upload's location; None when the blob was mounted."""
        url = self._repository.address("blobs/uploads/")
        if mount is not None:
            wish = f"{url}?mount={blob.digest}&from={mount}"
            with self._repository.request("POST", wish) as response:
                if response.status_code == 201:
                    return None
                if response.status_code == 202:
                    return self._repository.location(url, response)
        with self._repository.request("POST", url) as response:
            self._repository.require_success(
                response, f"repository {self._repository.name.repository}"
            )
            return self._repository.location(url, response)

    def _send_all(self, blob: Blob, location: str, mark: ProgressMark) -> str:
        """Send all of a blob; return the location to close the upload."""
        offset, furthest, failures = 0, 0, 0
        while offset < blob.size:
            reason = FetchError(f"the registry has only {offset} of {blob.size} bytes")
            try:
                location, offset = self._patch(blob, location, offset, mark)
            except BrokenOffError as error:
                reason = error
                time.sleep(_PAUSE * 2**failures)
                location, offset = self._query_offset(location, error)
            if offset > blob.size:
                raise _impossible_state(self._repository, f"{offset} of {blob.size} bytes")
            failures = 0 if offset > furthest else failures + 1
            furthest = max(furthest, offset)
            if failures > _PATIENCE:
                raise _LostError(reason)
        return location

    def _patch(self, blob: Blob, location: str, offset: int, mark: ProgressMark) -> tuple[str, int]:
        """Send the rest in one request, as Docker does: some registries accept only one."""
        headers = {"Content-Type": "application/octet-stream"}
        if offset:
            headers["Content-Range"] = f"{offset}-{blob.size - 1}"
        with blob.open() as stream:
            response = self._repository.request(
                "PATCH", location, headers=headers, body=lambda: _Rest(stream, offset, blob, mark)
            )
        with response:
            if response.status_code == 416 or response.status_code >= 500:
                raise BrokenOffError(f"HTTP {response.status_code} in the middle of an upload")
            if response.status_code == 404:
                raise _LostError(FetchError("the registry lost the upload"))
            self._repository.require_success(response, blob.digest)
            reached = _reached(response) if "Range" in response.headers else blob.size
            if blob.size == 1:  # `0-0` says nothing, and what was sent was accepted
                reached = 1
            return self._repository.location(location, response), reached

    def _query_offset(self, location: str, reason: FetchError) -> tuple[str, int]:
        with self._repository.request("GET", location) as response:
            if not response.ok or "Range" not in response.headers:
                raise _LostError(reason)
            following = location
            if "Location" in response.headers:
                following = self._repository.location(location, response)
            return following, _reached(response)

    def _finish(self, blob: Blob, location: str) -> None:
        url = f"{location}{'&' if '?' in location else '?'}digest={blob.digest}"
        try:
            response = self._repository.request("PUT", url)
        except BrokenOffError as error:
            if self.has_blob(blob.digest):
                return  # only the response was lost
            raise _LostError(error) from error
        with response:
            if response.status_code in (404, 416) or response.status_code >= 500:
                raise _LostError(FetchError(f"HTTP {response.status_code} at the end of an upload"))
            self._repository.require_success(response, blob.digest)
            self._require_digest(response, blob.digest)

    def _require_digest(self, response: requests.Response, digest: str) -> None:
        found = response.headers.get("Docker-Content-Digest", digest)
        if found != digest:
            raise IntegrityError(
                f"the registry {self._repository.name.registry} stored other bytes than were sent",
                found=found,
                expected=digest,
                hint="do not use that registry, or the proxy before it, until you know why",
            )


class _Rest:
    """The rest of a blob from an offset, as a sized stream for ``requests``."""

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


def _reached(response: requests.Response) -> int:
    """Return the number of bytes received; it is ``0-0`` for one byte and for none."""
    found = _RANGE.fullmatch(response.headers.get("Range", ""))
    last = int(found[1]) if found else 0
    return last + 1 if last else 0


def _impossible_state(repository: Repository, found: str) -> FetchError:
    return FetchError(
        f"the registry {repository.name.registry} reports an impossible state of an upload",
        found=found,
        hint="report it to whoever runs the registry",
    )


def _broken_off(repository: Repository, reason: FetchError) -> FetchError:
    return FetchError(
        f"sending to the registry {repository.name.registry} broke off, {_STARTS} times",
        found=reason.found or reason.what,
        hint="repeat the command; complete blobs are not sent again",
    )
