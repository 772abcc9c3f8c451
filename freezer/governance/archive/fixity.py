"""The fixity of an OCFL object: every byte is compared, and every file accounted for.

In a bucket with versions a file may be hidden by a marker, or overwritten by a newer version: both
are faults, and the finding names the version that still has the archived bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import FetchError, HostError, IntegrityError
from freezer.fetch.archive_storage.interface import OBJECT_MARK, NotStoredError
from freezer.fetch.http.client import BrokenOffError
from freezer.governance.archive.inventory import (
    INVENTORY,
    LARGEST,
    SIDECAR,
    is_version,
    parse_inventory,
    sidecar,
)
from freezer.governance.archive.ocfl import (
    ROOT_MARK,
    checked,
    object_of,
    read_object,
    recover_object,
    versions_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freezer.fetch.archive_storage.interface import Storage, Stored
    from freezer.governance.archive.inventory import Inventory

_MARK_DATA = b"ocfl_object_1.1\n"
_SMALL = 1 << 16


def verify_root(storage: Storage) -> list[str]:
    """Return a sentence for each fault of the archive's own mark."""
    try:
        good = storage.read(ROOT_MARK[0], _SMALL) == ROOT_MARK[1]
    except NotStoredError:
        return [f"{ROOT_MARK[0]}: it is gone"]
    except IntegrityError:
        good = False
    return [] if good else [f"{ROOT_MARK[0]}: not what was written"]


def verify_object(
    storage: Storage, name: str, advance: Callable[[int], None] = lambda _: None
) -> list[str]:
    """Return a sentence for each file of an object that is not what was written. Reads all.

    Raises ``FetchError`` where the place cannot be read at all.
    """
    files = storage.files(name)
    if object_of(name) is None or not files:
        return [f"{name}: this is no object of an archive"]
    found: list[str] = []
    try:
        inventory = read_object(storage, name)
        if inventory is None:
            found.append(f"{name}/{INVENTORY}: it is gone")
    except IntegrityError as error:
        inventory = None
        if not files.get(INVENTORY, _NOTHING).deleted:
            found.append(f"{name}/{INVENTORY}: {error.what}")
    inventory = inventory or recover_object(storage, name)
    found += [
        f"{name}/{path}: {_hidden(one)}"
        for path, one in files.items()
        if one.deleted and (inventory is None or _is_named(path, inventory))
    ]
    found += _mark(storage, name, files)
    found += _own_inventories(storage, name, files, inventory)
    if inventory is None:
        return found
    for sha256, path in sorted(inventory.manifest.items(), key=lambda item: item[1]):
        if not files.get(path, _NOTHING).deleted:
            problem = _problem(storage, f"{name}/{path}", files.get(path), sha256, advance)
            found += [f"{name}/{path}: {problem}"] if problem else []
    return found + _unnamed(name, files, inventory)


class _Nothing:
    deleted = False


_NOTHING = _Nothing()


def _hidden(one: Stored) -> str:
    return f"deleted; version {one.versions[0]} is still there" if one.versions else "deleted"


def _mark(storage: Storage, name: str, files: Mapping[str, Stored]) -> list[str]:
    if files.get(OBJECT_MARK, _NOTHING).deleted:
        return []
    try:
        good = storage.read(f"{name}/{OBJECT_MARK}", _SMALL) == _MARK_DATA
    except (NotStoredError, IntegrityError):
        good = False
    return [] if good else [f"{name}/{OBJECT_MARK}: not what was written"]


def _own_inventories(
    storage: Storage, name: str, files: Mapping[str, Stored], inventory: Inventory | None
) -> list[str]:
    """Compare the inventory in each version's folder with its digest and with the object's."""
    listed = range(1, len(inventory.versions) + 1) if inventory is not None else ()
    present = {path.partition("/")[0] for path in files if path.endswith(f"/{INVENTORY}")}
    folders = {f"v{number}" for number in listed} | {one for one in present if is_version(one)}
    found = []
    for folder in sorted(folders, key=lambda one: int(one[1:])):
        if files.get(f"{folder}/{INVENTORY}", _NOTHING).deleted:
            continue
        problem = _own_inventory(storage, name, folder, inventory)
        found += [f"{name}/{folder}/{INVENTORY}: {problem}"] if problem else []
    return found


def _own_inventory(
    storage: Storage, name: str, folder: str, inventory: Inventory | None
) -> str | None:
    try:
        data = storage.read(f"{name}/{folder}/{INVENTORY}", LARGEST)
    except (NotStoredError, IntegrityError) as error:
        return error.what
    try:
        digest = storage.read(f"{name}/{folder}/{SIDECAR}", _SMALL)
    except (NotStoredError, IntegrityError):
        digest = b""
    if digest != sidecar(data):
        return "not what its digest says"
    number = int(folder[1:])
    if inventory is None or number > len(inventory.versions):
        return None  # `_unnamed` has it
    return None if _agrees(data, number, inventory) else "not that of the object"


def _agrees(data: bytes, number: int, inventory: Inventory) -> bool:
    """Return whether a version's inventory is the object's, up to that version."""
    try:
        own = parse_inventory(data)
    except (ValueError, RecursionError):
        return False
    if number == len(inventory.versions):
        return own == inventory
    return own.versions == inventory.versions[:number]


def _problem(
    storage: Storage, path: str, stored: Stored | None, sha256: str,
    advance: Callable[[int], None],
) -> str | None:  # fmt: skip
    first = "it is gone"
    for version in versions_of(stored):
        try:
            for block in checked(storage.blocks(path, version), path, sha256):
                advance(len(block))
        except (NotStoredError, IntegrityError) as error:
            first = error.what if version is None else first
        except BrokenOffError:
            raise
        except (HostError, FetchError) as error:
            return f"it cannot be read: {error.found or error.what}"
        else:
            return None if version is None else f"{first}; version {version} has the archived bytes"
    return first


def _unnamed(name: str, files: Mapping[str, Stored], inventory: Inventory) -> list[str]:
    return [
        f"{name}/{path}: no inventory names it"
        for path, one in files.items()
        if not one.deleted and not _is_named(path, inventory)
    ]


def _is_named(path: str, inventory: Inventory) -> bool:
    """Return whether a file belongs to an object; others that a marker hides were cleared away."""
    if path in (INVENTORY, SIDECAR, OBJECT_MARK):
        return True
    top, _, rest = path.partition("/")
    known = is_version(top) and int(top[1:]) <= len(inventory.versions)
    return (known and rest in (INVENTORY, SIDECAR)) or path in inventory.paths
