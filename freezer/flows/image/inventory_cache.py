"""The inventory of an image: taken once, compared with the lock, stored with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from freezer.check.inventory.numerics import doubles
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.history.archive import archive_folder
from freezer.history.files import read_regular
from freezer.history.stored import INVENTORY_FILE
from freezer.inside import inventory_files
from freezer.model.canonical import digest, plain
from freezer.model.record.inventory import Inventory

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project

_MEMO: Final = "inventory-1"


@dataclass(frozen=True)
class InventoryResult:
    """An inventory with its warnings."""

    locked: Locked
    inventory: Inventory
    path: Path
    """Its path next to the lock."""
    doubles: tuple[str, ...]


def keep_inventory(project: Project, locked: Locked, image: str) -> InventoryResult:
    """Take the inventory of a lock's image, compare it with the lock, and store it.

    Raises as `inventory` does. Nothing is written when the image contradicts the lock.
    """
    from freezer.check.inventory.take import require_inventory

    found = inventory_of(project, image)
    require_inventory(locked.lock, found)
    path = locked.folder / INVENTORY_FILE
    kept = _kept(locked, path, found)
    if kept is not None:
        with disk_errors(locked.folder):
            write_atomically(path, kept)
    return InventoryResult(locked, found, path, doubles(found))


def _file(document: dict[str, Any]) -> bytes:
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def _kept(locked: Locked, path: Path, found: Inventory) -> bytes | None:
    """Return the bytes to store as the inventory next to a lock, or None: they are there already.

    A lock has several images, such as those with a commit in their labels, and the history records
    one file: it names the image that was there first. A file of an earlier lock with the same
    libraries does not count, as it names that lock's image.
    """
    archive = archive_folder(locked.folder, locked.id)
    now, recorded = _alike(path, found), _alike(archive / INVENTORY_FILE, found)
    if recorded is not None:
        return None if now == recorded else recorded
    if now is None:
        return _file(plain(found))
    others = archive.parent.glob(f"*/{INVENTORY_FILE}")
    return _file(plain(found)) if any(_bytes(one) == now for one in others) else None


def _alike(path: Path, found: Inventory) -> bytes | None:
    """Return a file that has an inventory, of whatever image; None where it has another."""
    data = _bytes(path)
    try:
        named = Inventory.model_validate_json(data or b"").image
    except (ValueError, RecursionError):
        return None
    return data if data == _file(plain(found) | {"image": named}) else None


def _bytes(path: Path) -> bytes | None:
    try:
        return read_regular(path.parent, path.name)
    except OSError:
        return None


def inventory_of(project: Project, image: str, *, alike: str | None = None) -> Inventory:
    """Return the inventory of an image by its ID; memoised. Raises ``CheckError``.

    Images with one ``alike`` (`freezer.image.assemble.inventory_key`) have one inventory.
    """
    keys = [f"{key}-{_code_digest()}" for key in (image, alike) if key is not None]
    found = next((one for key in keys if (one := _known(project, key, image))), None)
    if found is None:
        from freezer.check.inventory.take import take_inventory  # seldom, as it is memoised

        with project.report.task("Searching for numeric libraries"):
            found = take_inventory(project.engine(), image)
    for key in keys:
        project.store.put_memo(_MEMO, key, plain(found))
    return found


def _known(project: Project, key: str, image: str) -> Inventory | None:
    memo = project.store.get_memo(_MEMO, key)
    if not isinstance(memo, dict):
        return None
    try:
        return Inventory.model_validate({**memo, "image": image})
    except ValidationError:
        return None  # a corrupt memo counts as none


def _code_digest() -> str:
    """Return the digest of the code that takes inventories."""
    parts = (f"{path}\0{digest(data)}" for path, data in inventory_files().items())
    return digest("\n".join(parts).encode())[:16]
