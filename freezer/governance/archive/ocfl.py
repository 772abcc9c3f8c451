"""OCFL objects (https://ocfl.io/1.1/spec/) in any storage: read, and add a version.

An environment is an object, named like it: ``ENV``, or after a prune ``ENV__2``. What a version
holds is never written again. A file that an earlier version has is not stored again: the inventory
names it there.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import FreezerError, HostError, IntegrityError, Where
from freezer.fetch.archive_storage.interface import Head, NotStoredError, not_empty
from freezer.governance.archive.inventory import (
    INVENTORY,
    LARGEST,
    SIDECAR,
    Inventory,
    Version,
    parse_inventory,
    sidecar,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from freezer.fetch.archive_storage.interface import Source, Storage, Stored

ROOT_MARK: Final = ("0=ocfl_1.1", b"ocfl_1.1\n")
LAYOUT: Final = (
    "ocfl_layout.json",
    b'{"description": "one folder an ID", "extension": "0002-flat-direct-storage-layout"}\n',
)
_SMALL: Final = 1 << 16
_MOST_COPIES: Final = 20
"""Versions of a file that are tried in a bucket with versions."""
_OBJECT: Final = re.compile(r"(?P<environment>[a-z0-9]+([._-][a-z0-9]+)*)(__(?P<number>[1-9]\d*))?")


@dataclass(frozen=True)
class Written:
    """A version that was written, or that was there already."""

    version: str
    files: int
    new_files: int
    new_bytes: int
    """Bytes that no earlier version had."""


def open_root(storage: Storage, *, make: bool) -> None:
    """Require an archive, or make one of an empty place. Raises ``HostError``."""
    try:
        read_any(storage, ROOT_MARK[0], _SMALL)
    except NotStoredError:
        pass
    else:
        return
    if not make:
        raise HostError(
            "this is no archive", where=Where(storage.address),
            expected=f"a place with {ROOT_MARK[0]}",
            hint="name what `freeze archive create --to` wrote to",
        )  # fmt: skip
    if not storage.is_empty():
        raise not_empty(storage.address)
    storage.start(dict((LAYOUT, ROOT_MARK)))


def object_of(name: str) -> tuple[str, int] | None:
    """Return environment and number of an object's name; None for another name."""
    found = _OBJECT.fullmatch(name)
    return (found["environment"], int(found["number"] or 1)) if found else None


def next_name(name: str) -> str:
    """Return the name of the object that replaces another one."""
    environment, number = object_of(name) or (name, 1)
    return f"{environment}__{number + 1}"


def current_objects(storage: Storage) -> dict[str, str]:
    """Return the object of each environment: the last one that was completed."""
    named: dict[str, list[tuple[int, str]]] = {}
    for name in storage.objects():
        if found := object_of(name):
            named.setdefault(found[0], []).append((found[1], name))
    current = {}
    for environment, numbered in sorted(named.items()):
        names = [name for _, name in sorted(numbered, reverse=True)]
        whole = [name for name in names if len(names) == 1 or _is_complete(storage, name)]
        current[environment] = (whole or names)[0]
    return current


def _is_complete(storage: Storage, name: str) -> bool:
    return INVENTORY in storage.files(name)


def read_object(storage: Storage, name: str) -> Inventory | None:
    """Return the inventory of an object; None where there is none. Raises ``IntegrityError``."""
    if object_of(name) is None:
        return None
    try:
        data = storage.read(f"{name}/{INVENTORY}", LARGEST)
    except NotStoredError:
        if INVENTORY in storage.files(name):  # a marker hides it: a new object would go on from v1
            raise IntegrityError(
                "the inventory was deleted", where=Where(f"{name}/{INVENTORY}"),
                hint="remove the delete marker, or restore: `freeze archive restore` reads it",
            ) from None  # fmt: skip
        return None
    try:
        digest = storage.read(f"{name}/{SIDECAR}", _SMALL)
    except NotStoredError:
        digest = b""
    if digest != sidecar(data):
        raise IntegrityError(
            "the inventory is not the one that was written", where=Where(f"{name}/{INVENTORY}"),
            hint="`freeze archive verify` names every file that changed",
        )  # fmt: skip
    return _parsed(data, name, f"{name}/{INVENTORY}")


def _parsed(data: bytes, name: str, place: str) -> Inventory:
    try:
        found = parse_inventory(data)
        if found.id != name:
            raise ValueError(f"it is that of {found.id[:80]!r}")
    except (ValueError, RecursionError) as error:
        raise IntegrityError(
            "the inventory cannot be used", where=Where(place), found=str(error)[:200]
        ) from None
    return found


def recover_object(storage: Storage, name: str) -> Inventory | None:
    """Return the inventory that the newest sound version has in its own folder."""
    if object_of(name) is None:
        return None
    files = storage.files(name)
    numbers = [int(found[1]) for path in files if (found := re.fullmatch(r"v(\d+)/.*", path))]
    for number in sorted(set(numbers), reverse=True):
        path = f"v{number}/{INVENTORY}"
        for data in _copies(storage, f"{name}/{path}", files.get(path), LARGEST):
            place = f"{name}/v{number}/{SIDECAR}"
            digests = _copies(storage, place, files.get(f"v{number}/{SIDECAR}"), _SMALL)
            if sidecar(data) in digests:
                try:
                    inventory = _parsed(data, name, f"{name}/{path}")
                except IntegrityError:
                    continue
                if inventory.head == f"v{number}":
                    return inventory
    return None


def _copies(storage: Storage, path: str, stored: Stored | None, limit: int) -> Iterator[bytes]:
    for version in versions_of(stored):
        try:
            yield storage.read(path, limit, version)
        except (NotStoredError, IntegrityError):
            continue


def versions_of(stored: Stored | None) -> list[str | None]:
    """Return what of a file can be read: the current version as None, then earlier ones by ID."""
    if stored is None:
        return []
    earlier = stored.versions if stored.deleted else stored.versions[1:]
    current: list[str | None] = [] if stored.deleted else [None]
    return [*current, *earlier[:_MOST_COPIES]]


def read_any(storage: Storage, path: str, limit: int) -> bytes:
    """Return a small file, also one that a marker hides. Raises ``NotStoredError``."""
    try:
        return storage.read(path, limit)
    except NotStoredError:
        folder, _, file = path.rpartition("/")
        for data in _copies(storage, path, storage.files(folder).get(file), limit):
            return data
        raise


def take_content(
    storage: Storage, path: str, stored: Stored | None, sha256: str,
    take: Callable[[Iterator[bytes]], None],
) -> None:  # fmt: skip
    """Give the bytes of a file with a digest to ``take``, from an earlier version if need be.

    ``take`` gets verified bytes if and only if no error is raised within it. Raises
    ``IntegrityError`` where no version has that digest.
    """
    for version in versions_of(stored):
        try:
            take(checked(storage.blocks(path, version), path, sha256))
        except (NotStoredError, IntegrityError):
            continue
        return
    raise IntegrityError(
        "a file of the archive is not what was archived", where=Where(path),
        found=None if stored else "it is gone", expected=f"sha256 {sha256}",
        hint="`freeze archive verify` names every such file",
    )  # fmt: skip


def checked(blocks: Iterable[bytes], path: str, sha256: str) -> Iterator[bytes]:
    """Yield blocks. Raises ``IntegrityError`` after the last one, if they are other bytes."""
    hasher = hashlib.sha256()
    for block in blocks:
        hasher.update(block)
        yield block
    if hasher.hexdigest() != sha256:
        raise IntegrityError("its bytes changed", where=Where(path))


def add_version(
    storage: Storage, name: str, files: Mapping[str, Source], *, created: str, message: str,
    kept: Mapping[str, str] | None = None, advance: Callable[[int], None] = lambda _: None,
) -> Written:  # fmt: skip
    """Add a state of an object: logical path to file. The same state again adds nothing.

    ``kept`` are files that an earlier version has, path to SHA-256. Raises ``IntegrityError`` for a
    file that is not what its digest says, ``HostError`` for a full disk; the object is then what it
    was.
    """
    old = _completed(storage, name)
    state = {**(kept or {}), **{path: source.sha256 for path, source in files.items()}}
    if old is not None and old.versions[-1].state == state:
        return Written(old.head, len(state), 0, 0)
    known = dict(old.manifest) if old is not None else {}
    number = len(old.versions) + 1 if old is not None else 1
    fresh = {
        source.sha256: (path, source)
        for path, source in sorted(files.items(), reverse=True)
        if source.sha256 not in known
    }
    known |= {sha256: f"v{number}/content/{path}" for sha256, (path, _) in fresh.items()}
    versions = (*(old.versions if old is not None else ()), Version(created, message, state))
    inventory = Inventory(name, dict(sorted(known.items())), versions)
    with storage.draft(name, number) as draft:
        for path, source in fresh.values():
            draft.put(f"content/{path}", source, advance)
        draft.publish(head_of(inventory), needed_files(inventory, number))
    storage.complete(name, head_of(inventory))
    size = sum(source.size for _, source in fresh.values())
    return Written(f"v{number}", len(state), len(fresh), size)


def head_of(inventory: Inventory) -> Head:
    """Return the files that name an object's newest version."""
    data = inventory.data()
    return Head(len(inventory.versions), {INVENTORY: data, SIDECAR: sidecar(data)})


def needed_files(inventory: Inventory, number: int) -> dict[str, str]:
    """Return path to SHA-256 of the stored files that a version refers to."""
    digests = set(inventory.versions[number - 1].state.values())
    return {inventory.manifest[sha256]: sha256 for sha256 in sorted(digests)}


def _completed(storage: Storage, name: str) -> Inventory | None:
    """Return an object's inventory, after finishing a version that was cut off at its very end."""
    old = read_object(storage, name)
    number = len(old.versions) + 1 if old is not None else 1
    path = f"{name}/v{number}/{INVENTORY}"
    if not storage.exists(path):
        return old
    try:
        found = _parsed(storage.read(path, LARGEST), name, path)
    except FreezerError:
        return old
    if not _continues(storage, name, old, found):
        return old
    storage.complete(name, head_of(found))
    return found


def _continues(storage: Storage, name: str, old: Inventory | None, found: Inventory) -> bool:
    """Return whether an inventory adds one version to another, and all of its files are there."""
    earlier = old.versions if old is not None else ()
    same = found.versions[:-1] == earlier
    kept = old is None or old.manifest.items() <= found.manifest.items()
    return same and kept and set(found.manifest.values()) <= storage.files(name).keys()
