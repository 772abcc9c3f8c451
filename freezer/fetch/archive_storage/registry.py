"""An archive in a repository of an OCI registry: a manifest for each version, blobs by digest.

The tag ``ENV.vN`` names the manifest of version N. Its config is the version's inventory; its
layers are the files that the version refers to, each with its path in the object as its title. The
tag ``ocfl_1.1`` marks the archive.
"""

from __future__ import annotations

import hashlib
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import BusyError, FetchError, HostError, IntegrityError, Where
from freezer.fetch.archive_storage.interface import (
    OBJECT_MARK,
    Draft,
    Head,
    NotStoredError,
    Source,
    Storage,
    Stored,
)
from freezer.fetch.http.client import BrokenOffError, NotFoundError
from freezer.fetch.http.url import join_url
from freezer.fetch.registry import manifest as documents
from freezer.fetch.registry.body import blocks_of, body_of
from freezer.fetch.registry.push import Blob, Destination
from freezer.fetch.registry.repository import LARGEST, Repository
from freezer.model import oci
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from freezer.fetch.config import Config
    from freezer.fetch.registry.manifest import Descriptor
    from freezer.fetch.registry.reference import Reference

INVENTORY_TYPE: Final = "application/vnd.freezer.archive.inventory.v1+json"
FILE_TYPE: Final = "application/vnd.freezer.archive.file.v1"
TITLE: Final = "org.opencontainers.image.title"
ROOT_TAG: Final = "ocfl_1.1"
_TAG: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)\.v(?P<number>[1-9]\d{0,8})")
_INVENTORY: Final = "inventory.json"
_MARK_DATA: Final = b"ocfl_object_1.1\n"
_MOST_PAGES: Final = 100
_PATIENCE: Final = 4
"""Consecutive interruptions of a download without progress."""
Files = dict[str, documents.Descriptor]


class RegistryStorage(Storage):
    """A repository, with the credentials of ``docker login``."""

    def __init__(self, reference: Reference, config: Config) -> None:
        self.address = f"{reference.registry}/{reference.repository}"
        self._reference = reference
        self._config = config
        self._reader: Repository | None = None
        self._pusher: Repository | None = None
        self._objects: dict[str, dict[int, Files]] = {}
        self._blobs: dict[str, Descriptor] = {}
        """By digest: what was pushed, and what manifests name."""

    def files(self, folder: str = "") -> Mapping[str, Stored]:
        """Return the files of an object, as the manifests of its versions name them."""
        name, _, below = folder.partition("/")
        start = f"{below}/" if below else ""
        found = self._root() if not name else self._all(name)
        return {
            path[len(start) :]: Stored(one.size)
            for path, one in sorted(found.items())
            if path.startswith(start)
        }

    def objects(self) -> list[str]:
        """Return the names in the tags."""
        return sorted({found["name"] for tag in self._tags() if (found := _TAG.fullmatch(tag))})

    def is_empty(self) -> bool:
        """Return whether the repository has no tag, or does not exist."""
        return not self._tags()

    def start(self, files: Mapping[str, bytes]) -> None:
        """Push the archive's own small files under the tag that marks it."""
        destination = Destination(self._writer())
        named = {path: self._upload(destination, _source(data)) for path, data in files.items()}
        config = self._upload(destination, _source(oci.EMPTY_DATA))
        layers = [_layer(path, one) for path, one in named.items()]
        data = oci.image_manifest(oci.descriptor(oci.EMPTY, config.digest, config.size), layers)
        destination.put_manifest(data, oci.MANIFEST, ROOT_TAG)

    def blocks(self, path: str, version: str | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file; a broken download is continued where it broke."""
        del version
        name, _, file = path.partition("/")
        found = (self._all(name) if file else self._root()).get(file or name)
        if found is None:
            raise NotStoredError("it is gone", where=Where(path))
        return self._blob(path, found)

    @contextmanager
    def draft(self, name: str, number: int) -> Iterator[Draft]:
        """Push the files of a version; blobs without a manifest are removed by the registry."""
        yield _RegistryDraft(self, name, number)

    def complete(self, name: str, head: Head) -> None:
        """Do nothing: a manifest is there whole or not at all."""

    def remove(self, name: str) -> None:
        """Delete the manifests of an object; the registry's garbage collection does the rest."""
        repository = _Deleting(self._reference, self._config, writes=True)
        for number in sorted(self._versions(name), reverse=True):
            digest = Destination(repository).manifest(_tag(name, number))
            if not digest:
                continue
            url = repository.address(f"manifests/{digest}")
            with repository.request("DELETE", url) as response:
                if response.status_code == 405:
                    raise HostError(
                        "the registry does not allow deleting", where=Where(self.address),
                        hint="enable deletion there, or delete the tags by its own means",
                    )  # fmt: skip
                if response.status_code != 404:
                    repository.require_success(response, f"the deletion of {_tag(name, number)}")
        self._objects.pop(name, None)

    def known(self, name: str) -> Files:
        """Return every file of an object by its path."""
        return self._all(name)

    def blob(self, path: str, sha256: str) -> Descriptor:
        """Return a blob that was pushed, or that a manifest names. Raises ``IntegrityError``."""
        found = self._blobs.get(f"sha256:{sha256}")
        if found is None:
            raise IntegrityError(
                "an earlier version of the archive lacks a file", where=Where(self.address),
                found=f"no blob for {path}", hint="`freeze archive verify` names every file",
            )  # fmt: skip
        return found

    def push(
        self, name: str, number: int, files: Files, inventory: Source,
        digest_file: tuple[str, Source],
    ) -> None:  # fmt: skip
        """Push the manifest of a version. Raises ``BusyError`` where the tag is there already."""
        destination, tag = Destination(self._writer()), _tag(name, number)
        layers = {
            OBJECT_MARK: self._upload(destination, _source(_MARK_DATA)),
            f"v{number}/{digest_file[0]}": self._upload(destination, digest_file[1]),
            **dict(sorted(files.items())),
        }
        config = self._upload(destination, inventory)
        data = oci.image_manifest(
            oci.descriptor(INVENTORY_TYPE, config.digest, config.size),
            [_layer(path, one) for path, one in layers.items()],
        )
        if len(data) > LARGEST:
            raise HostError(
                "this version has too many files for a registry", where=Where(self.address),
                found=f"{len(layers)} files, a manifest of {len(data)} bytes",
                expected=f"at most {LARGEST} bytes", hint="archive to a folder or to S3",
            )  # fmt: skip
        if destination.manifest(tag) is not None:
            raise self._taken(tag)
        destination.put_manifest(data, oci.MANIFEST, tag)
        self._objects.pop(name, None)
        if destination.manifest(tag) not in ("", oci.sha256(data)):
            raise self._taken(tag)  # registries have no condition for a tag

    def upload(self, source: Source, advance: Callable[[int], None]) -> Descriptor:
        """Push a file that the repository lacks."""
        return self._upload(Destination(self._writer()), source, advance)

    def _taken(self, tag: str) -> BusyError:
        return BusyError(
            "another process adds to this archive", where=Where(self.address),
            found=f"the tag {tag} is there already", hint="run the command again",
        )  # fmt: skip

    def _upload(
        self, destination: Destination, source: Source,
        advance: Callable[[int], None] = lambda _: None,
    ) -> Descriptor:  # fmt: skip
        found = documents.Descriptor(f"sha256:{source.sha256}", source.size)
        if destination.has_blob(found.digest):
            advance(source.size)
        else:
            destination.put_blob(Blob(found.digest, source.size, source.open), advance)
        self._blobs[found.digest] = found
        return found

    def _repository(self) -> Repository:
        if self._reader is None:
            self._reader = Repository(self._reference, self._config)
        return self._reader

    def _writer(self) -> Repository:
        if self._pusher is None:
            self._pusher = Repository(self._reference, self._config, writes=True)
        return self._pusher

    def _tags(self) -> list[str]:
        repository, found = self._repository(), []
        url = repository.address("tags/list?n=1000")
        for _ in range(_MOST_PAGES):
            with repository.request("GET", url) as response:
                if response.status_code == 404:
                    return []
                repository.require_success(response, "list of tags")
                found += _strings(body_of(url, response, LARGEST))
                following = response.links.get("next", {}).get("url")
            if not following or not repository.is_own(join_url(url, following)):
                return found
            url = join_url(url, following)
        raise HostError(
            "the repository has too many tags", where=Where(self.address),
            hint="use a repository of the archive's own",
        )  # fmt: skip

    def _root(self) -> Files:
        try:
            return self._manifest(ROOT_TAG)
        except NotFoundError:
            return {}

    def _versions(self, name: str) -> dict[int, Files]:
        if name not in self._objects:
            numbers = [
                int(found["number"])
                for tag in self._tags()
                if (found := _TAG.fullmatch(tag)) and found["name"] == name
            ]
            self._objects[name] = {
                number: self._manifest(_tag(name, number), number) for number in sorted(numbers)
            }
        return self._objects[name]

    def _all(self, name: str) -> Files:
        """Return the files of all versions; the newest one's inventory is the object's own."""
        versions = self._versions(name)
        found = {path: one for files in versions.values() for path, one in files.items()}
        if versions and list(versions) == list(range(1, len(versions) + 1)):
            own = f"v{len(versions)}/{_INVENTORY}"
            for path in [path for path in found if path.startswith(own)]:
                found[path.partition("/")[2]] = found[path]
        return found

    def _manifest(self, tag: str, number: int | None = None) -> Files:
        what = f"{self.address}:{tag}"
        data = self._repository().read(f"manifests/{tag}", what, oci.MANIFEST)
        document = documents.read(what, data)
        found: Files = {}
        for entry in document.get("layers") or ():
            notes = entry.get("annotations") if isinstance(entry, dict) else None
            title = notes.get(TITLE) if isinstance(notes, dict) else None
            if not isinstance(title, str) or title in found:
                raise IntegrityError(
                    "this manifest is not an archive's", where=Where(what),
                    found=f"a layer with the title {str(title)[:80]!r}",
                )  # fmt: skip
            found[title] = documents.descriptor(what, entry)
            self._blobs[found[title].digest] = found[title]
        if number is not None:
            found[f"v{number}/{_INVENTORY}"] = documents.descriptor(what, document.get("config"))
        return found

    def _blob(self, path: str, blob: Descriptor) -> Iterator[bytes]:
        repository, done, failures = self._repository(), 0, 0
        url = repository.address(f"blobs/{blob.digest}")
        while True:
            before = done
            headers = {"Range": f"bytes={done}-"} if done else {}
            try:
                with repository.request("GET", url, headers=headers) as response:
                    try:
                        repository.require_success(response, f"blob {blob.digest}")
                    except NotFoundError:
                        raise NotStoredError("it is gone", where=Where(path)) from None
                    skip = done if response.status_code != 206 else 0
                    for block in blocks_of(url, response):
                        kept, skip = block[skip:], max(0, skip - len(block))
                        done += len(kept)
                        if done > blob.size:
                            raise IntegrityError("it is longer than it was", where=Where(path))
                        yield kept
                if done < blob.size:
                    raise IntegrityError("it is shorter than it was", where=Where(path))
            except BrokenOffError:
                failures = 0 if done > before else failures + 1
                if failures > _PATIENCE:
                    raise
            else:
                return


class _Deleting(Repository):
    """A repository whose token may delete."""

    def __init__(self, name: Reference, config: Config, *, writes: bool) -> None:
        super().__init__(name, config, writes=writes)
        self._scopes = (f"repository:{name.repository}:pull,push,delete",)


@dataclass
class _RegistryDraft(Draft):
    """A version in the making."""

    storage: RegistryStorage
    name: str
    number: int

    def put(self, path: str, source: Source, advance: Callable[[int], None]) -> None:
        del path  # `publish` names it
        self.storage.upload(source, advance)

    def copy(self, source: str, path: str) -> None:
        del path  # blobs are the repository's: `publish` finds it by its digest
        self.storage.known(source.partition("/")[0])

    def publish(self, head: Head, needed: Mapping[str, str]) -> None:
        self.storage.known(self.name)
        inventory = _source(head.files[_INVENTORY])
        (digest_file,) = (
            (file, _source(data)) for file, data in head.files.items() if file != _INVENTORY
        )
        files = {path: self.storage.blob(path, sha256) for path, sha256 in needed.items()}
        self.storage.push(self.name, self.number, files, inventory, digest_file)


def _tag(name: str, number: int) -> str:
    return f"{name}.v{number}"


def _layer(path: str, one: Descriptor) -> dict[str, Any]:
    return oci.descriptor(FILE_TYPE, one.digest, one.size, annotations={TITLE: path})


def _source(data: bytes) -> Source:
    return Source(hashlib.sha256(data).hexdigest(), len(data), lambda: io.BytesIO(data))


def _strings(data: bytes) -> list[str]:
    try:
        document = parse_json(data)
    except ValueError:
        document = None
    tags = document.get("tags") if isinstance(document, dict) else None
    if tags is not None and not isinstance(tags, list):
        raise FetchError("the registry's list of tags cannot be read", found=str(tags)[:80])
    return [tag for tag in tags or () if isinstance(tag, str)]
