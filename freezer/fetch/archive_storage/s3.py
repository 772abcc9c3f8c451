"""An archive in a bucket of S3: every file is put once, by ``If-None-Match: *`` and its SHA-256.

With versioning or object lock a plain delete only hides a file by a marker, and an overwrite makes
a new version. All versions are therefore listed and read by ID; digests say which one counts.
"""

from __future__ import annotations

import hashlib
import io
from base64 import b64decode, b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

from freezer.errors import BusyError, FetchError, HostError, Where
from freezer.fetch.archive_storage.interface import (
    BLOCK,
    OBJECT_MARK,
    Draft,
    NotStoredError,
    Source,
    Storage,
    Stored,
    changed_meanwhile,
)
from freezer.fetch.archive_storage.s3_client import code_of, make_client, s3_errors
from freezer.fetch.http.client import STALLED, BrokenOffError
from freezer.fetch.http.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from freezer.fetch.archive_storage.interface import Head

PART: Final = 64 << 20
"""Bytes of a part; larger files are sent in parts, of which a broken one is sent again."""
_MOST_PARTS: Final = 10_000
_MOST_FILES: Final = 1_000_000
_PATIENCE: Final = 4
"""Consecutive interruptions of a download without progress."""
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"})
_THERE: Final = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})
_MARK_DATA: Final = b"ocfl_object_1.1\n"


class S3Storage(Storage):
    """The keys below a prefix of a bucket."""

    def __init__(self, bucket: str, prefix: str) -> None:
        """``prefix`` has no ``/`` at its end, and may be empty."""
        self.address = f"s3://{bucket}/{prefix}".removesuffix("/")
        self.bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = make_client(self.address)

    def key(self, path: str) -> str:
        """Return the key of a path."""
        return f"{self._prefix}{path}"

    def files(self, folder: str = "") -> Mapping[str, Stored]:
        """Return the files below a folder, with the IDs of all versions."""
        base = self.key(f"{folder}/" if folder else "")
        found: dict[str, _Versions] = {}
        pages = self._client.get_paginator("list_object_versions")
        with s3_errors(self.address, "be listed"):
            for page in pages.paginate(Bucket=self.bucket, Prefix=base):
                for one in page.get("Versions", ()):
                    path = str(one["Key"])[len(base) :]
                    found.setdefault(path, _Versions()).add(one)
                for one in page.get("DeleteMarkers", ()):
                    path = str(one["Key"])[len(base) :]
                    found.setdefault(path, _Versions()).hidden |= bool(one["IsLatest"])
                if len(found) > _MOST_FILES:
                    raise HostError(
                        "there are too many objects", where=Where(self.address),
                        expected=f"at most {_MOST_FILES} below the prefix of an archive",
                    )  # fmt: skip
        return {path: one.stored() for path, one in sorted(found.items()) if one.ids}

    def objects(self) -> list[str]:
        """Return the names of the folders below the prefix, also of those that markers hide."""
        pages = self._client.get_paginator("list_object_versions")
        found: set[str] = set()
        with s3_errors(self.address, "be listed"):
            for page in pages.paginate(Bucket=self.bucket, Prefix=self._prefix, Delimiter="/"):
                for one in page.get("CommonPrefixes", ()):
                    found.add(str(one["Prefix"])[len(self._prefix) :].rstrip("/"))
        # Some servers list folders whose files are gone, and markers outlive the files.
        return sorted(name for name in found if name and self.files(name))

    def exists(self, path: str) -> bool:
        """Return whether a key has a current version."""
        return self._head(path) is not None

    def blocks(self, path: str, version: str | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file; a broken download is continued where it broke."""
        done, failures, tag = 0, 0, None
        while True:
            before = done
            response = self._get(path, version, done, tag)  # with retries of its own
            tag = response["ETag"]
            try:
                for block in self._received(response["Body"]):
                    done += len(block)
                    yield block
            except BrokenOffError:
                failures = 0 if done > before else failures + 1
                if failures > _PATIENCE:
                    raise
            else:
                return

    def is_empty(self) -> bool:
        """Return whether no key has the prefix, not even a deleted one."""
        with s3_errors(self.address, "be listed"):
            found = self._client.list_object_versions(
                Bucket=self.bucket, Prefix=self._prefix, MaxKeys=1
            )
        return not found.get("Versions") and not found.get("DeleteMarkers")

    def start(self, files: Mapping[str, bytes]) -> None:
        """Write the archive's own small files."""
        for file, data in files.items():
            self._write(file, data)

    def _write(self, path: str, data: bytes) -> None:
        with s3_errors(self.address, "be written"):
            self._client.put_object(
                Bucket=self.bucket, Key=self.key(path), Body=data,
                ChecksumSHA256=_base64(hashlib.sha256(data).hexdigest()),
            )  # fmt: skip

    @contextmanager
    def draft(self, name: str, number: int) -> Iterator[Draft]:
        """Write a version under its own keys; they do not count before the inventory does."""
        folder = f"{name}/v{number}"
        made = _S3Draft(self, folder, dict(self.files(folder)))
        try:
            yield made
        except BaseException:
            made.withdraw()
            raise

    def complete(self, name: str, head: Head) -> None:
        """Write the object's own inventory, which makes the version count."""
        for file, data in head.files.items():
            if not self.exists(f"{name}/v{head.number}/{file}"):
                self._write(f"{name}/v{head.number}/{file}", data)
        if not self.exists(f"{name}/{OBJECT_MARK}"):
            self._write(f"{name}/{OBJECT_MARK}", _MARK_DATA)
        for file, data in head.files.items():
            self._write(f"{name}/{file}", data)

    def copy(self, source: str, target: str) -> None:
        """Copy a file within the bucket; no byte passes through this host."""
        with s3_errors(self.address, "be written"):
            self._client.copy(
                {"Bucket": self.bucket, "Key": self.key(source)}, self.bucket, self.key(target)
            )

    def remove(self, name: str) -> None:
        """Remove every version of every file; first those that make the object one."""
        files = self.files(name)
        for path in sorted(files, key=lambda one: "/" in one):
            for version in files[path].versions or (None,):
                self.delete(f"{name}/{path}", version)

    def retained(self, name: str) -> str | None:
        """Return until when object lock keeps a file of an object."""
        latest = None
        for path, stored in self.files(name).items():
            for version in stored.versions:
                found = self._head(f"{name}/{path}", version) or {}
                until = found.get("ObjectLockRetainUntilDate")
                if found.get("ObjectLockLegalHoldStatus") == "ON":
                    return "a legal hold ends"
                if until is not None and (latest is None or until > latest):
                    latest = until
        if latest is None:
            return None
        from datetime import UTC, datetime

        return latest.strftime("%Y-%m-%d") if latest > datetime.now(UTC) else None

    def put_once(self, path: str, source: Source, advance: Callable[[int], None]) -> str | None:
        """Put a file that must not be there, and return the ID of its version.

        Raises ``FileExistsError`` where it is, and ``IntegrityError`` for other bytes than the
        digest says; the server compares it as well.
        """
        if source.size > PART:
            return self._put_parts(path, source, advance)
        with source.open() as stream:
            data = stream.read(PART + 1)
        found = hashlib.sha256(data).hexdigest()
        if found != source.sha256:
            raise changed_meanwhile(path, found, source.sha256)
        with s3_errors(self.address, "be written"), _conflicts(path):
            done = self._client.put_object(
                Bucket=self.bucket, Key=self.key(path), Body=data, IfNoneMatch="*",
                ChecksumSHA256=_base64(found),
            )  # fmt: skip
        advance(len(data))
        return _version(done)

    def delete(self, path: str, version: str | None) -> None:
        """Delete a version of a file, or, without one, the file. Raises ``FetchError``."""
        with s3_errors(self.address, "be changed"):
            more = {"VersionId": version} if version is not None else {}
            self._client.delete_object(Bucket=self.bucket, Key=self.key(path), **more)

    def is_same(self, path: str, source: Source) -> bool:
        """Return whether the current version of a file has the bytes of a source."""
        found = self._head(path)
        if found is None or found["ContentLength"] != source.size:
            return False
        stated = found.get("ChecksumSHA256")
        if stated is not None and "-" not in stated:
            with suppress(ValueError):
                return b64decode(stated, validate=True).hex() == source.sha256
        hasher = hashlib.sha256()
        for block in self.blocks(path):
            hasher.update(block)
        return hasher.hexdigest() == source.sha256

    def _put_parts(self, path: str, source: Source, advance: Callable[[int], None]) -> str | None:
        if self.exists(path):  # not every server looks at the condition of the last request
            raise FileExistsError(path)
        place = {"Bucket": self.bucket, "Key": self.key(path)}
        with s3_errors(self.address, "be written"):
            upload = self._client.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")
        place["UploadId"] = upload["UploadId"]
        try:
            with source.open() as stream, s3_errors(self.address, "be written"), _conflicts(path):
                parts = list(self._parts(place, path, source, stream, advance))
                done = self._client.complete_multipart_upload(
                    **place, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
                )
        except BaseException:
            with suppress(FetchError, HostError), s3_errors(self.address, "be changed"):
                self._client.abort_multipart_upload(**place)
            raise
        return _version(done)

    def _parts(
        self, place: dict[str, str], path: str, source: Source, stream: IO[bytes],
        advance: Callable[[int], None],
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        hasher = hashlib.sha256()
        size = max(PART, -(-source.size // _MOST_PARTS))
        number = 0
        while data := stream.read(size):
            number += 1
            hasher.update(data)
            checksum = _base64(hashlib.sha256(data).hexdigest())
            done = self._client.upload_part(
                **place, PartNumber=number, Body=data, ChecksumSHA256=checksum
            )
            advance(len(data))
            yield {"PartNumber": number, "ETag": done["ETag"], "ChecksumSHA256": checksum}
        if hasher.hexdigest() != source.sha256:
            raise changed_meanwhile(path, hasher.hexdigest(), source.sha256)

    def _head(self, path: str, version: str | None = None) -> Mapping[str, Any] | None:
        from botocore.exceptions import ClientError

        more = {"VersionId": version} if version is not None else {}
        with s3_errors(self.address, "be read"):
            try:
                found: Mapping[str, Any] = self._client.head_object(
                    Bucket=self.bucket, Key=self.key(path), ChecksumMode="ENABLED", **more
                )
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return None
                raise
        return found

    def _get(self, path: str, version: str | None, start: int, tag: str | None) -> Any:
        from botocore.exceptions import ClientError

        more = {"VersionId": version} if version is not None else {}
        if start and tag is not None:
            more |= {"Range": f"bytes={start}-", "IfMatch": tag}
        with s3_errors(self.address, "be read"):
            try:
                return self._client.get_object(Bucket=self.bucket, Key=self.key(path), **more)
            except ClientError as error:
                if code_of(error) in _MISSING:
                    raise NotStoredError("it is gone", where=Where(path)) from None
                raise

    def _received(self, body: Any) -> Iterator[bytes]:
        """Yield what arrives, each block within a limit of time."""
        with s3_errors(self.address, "be read"), Watchdog(_socket(body), STALLED) as watchdog:
            while block := body.read(BLOCK):
                yield block
                watchdog.feed()
            watchdog.check(self.address)


@dataclass
class _Versions:
    """What a list says of one key."""

    ids: list[str] = field(default_factory=list)
    size: int = 0
    hidden: bool = False

    def add(self, one: Mapping[str, Any]) -> None:
        if not self.ids:  # newest first
            self.size = int(one["Size"])
        self.ids.append(str(one["VersionId"]))

    def stored(self) -> Stored:
        plain = self.ids == ["null"]
        return Stored(self.size, self.hidden, () if plain else tuple(self.ids))


class _S3Draft(Draft):
    """A version in the making; what an earlier one left is taken over where it is the same."""

    def __init__(self, storage: S3Storage, folder: str, left: dict[str, Stored]) -> None:
        self._storage = storage
        self._folder = folder
        self._left = {path: one for path, one in left.items() if not one.deleted}
        self._made: dict[str, str | None] = {}

    def put(self, path: str, source: Source, advance: Callable[[int], None]) -> None:
        place = f"{self._folder}/{path}"
        if path in self._left:
            same = self._storage.is_same(place, source)
            left = self._left.pop(path)
            if same:
                advance(source.size)
                return
            self._clear(place, left.versions[0] if left.versions else None)
        try:
            self._made[place] = self._storage.put_once(place, source, advance)
        except FileExistsError:
            if not self._storage.is_same(place, source):
                raise self._conflict() from None

    def copy(self, source: str, path: str) -> None:
        self._left.pop(path, None)
        self._storage.copy(source, f"{self._folder}/{path}")
        self._made[f"{self._folder}/{path}"] = None

    def publish(self, head: Head, needed: Mapping[str, str]) -> None:
        del needed
        for path, left in self._left.items():
            self._clear(f"{self._folder}/{path}", left.versions[0] if left.versions else None)
        for file, data in head.files.items():
            place = f"{self._folder}/{file}"
            try:
                self._made[place] = self._storage.put_once(place, _source(data), lambda _: None)
            except FileExistsError:
                raise self._conflict() from None
        self._made.clear()  # it is whole, and anybody may complete it

    def withdraw(self) -> None:
        """Delete what was put, so far as that is allowed."""
        for place, version in reversed(self._made.items()):
            with suppress(FetchError, HostError):
                self._clear(place, version)

    def _clear(self, place: str, version: str | None) -> None:
        try:
            self._storage.delete(place, version)
        except FetchError:
            if version is None:
                raise
            self._storage.delete(place, None)  # retained, or no right to delete versions: hide it

    def _conflict(self) -> BusyError:
        return BusyError(
            "another process adds to this archive", where=Where(self._storage.address),
            found=f"{self._folder} is there already", hint="run the command again",
        )  # fmt: skip


def _source(data: bytes) -> Source:
    return Source(hashlib.sha256(data).hexdigest(), len(data), lambda: io.BytesIO(data))


def _socket(body: Any) -> Any:
    """Return the socket of a response's body, as botocore itself finds it; None where unknown."""
    found = body
    for name in ("_raw_stream", "_fp", "fp", "raw", "_sock"):
        found = getattr(found, name, None)
    return found


@contextmanager
def _conflicts(path: str) -> Iterator[None]:
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if code_of(error) in _THERE:
            raise FileExistsError(path) from None
        raise


def _version(done: Mapping[str, Any]) -> str | None:
    found = done.get("VersionId")
    return None if found is None else str(found)


def _base64(sha256: str) -> str:
    return b64encode(bytes.fromhex(sha256)).decode()
