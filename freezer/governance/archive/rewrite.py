"""Purging versions as OCFL's implementation notes say (3.3): a new object, then the old one goes.

Versions of an object are immutable, so none can be taken out of it. The new object has the kept
versions, renumbered, and is verified byte by byte before the old one is removed whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import IntegrityError, Where
from freezer.governance.archive.fixity import verify_object
from freezer.governance.archive.inventory import Inventory
from freezer.governance.archive.ocfl import head_of, needed_files, next_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from freezer.fetch.archive_storage.interface import Storage


def rewrite(
    storage: Storage, inventory: Inventory, keep: Collection[int],
    advance: Callable[[int], None] = lambda _: None,
) -> str:  # fmt: skip
    """Replace an object by one with the kept versions only; return its name.

    Raises ``IntegrityError`` if the new object is not sound, and then keeps the old one.
    """
    made = without(inventory, keep)
    origin = inventory.manifest
    # The newest version first: before the oldest one is there, nothing takes it for an object.
    for number in range(len(made.versions), 0, -1):
        head = head_of(Inventory(made.id, _up_to(made, number), made.versions[:number]))
        with storage.draft(made.id, number) as draft:
            for sha256, path in made.manifest.items():
                folder, _, below = path.partition("/")
                if folder == f"v{number}":
                    draft.copy(f"{inventory.id}/{origin[sha256]}", below)
            draft.publish(head, needed_files(made, number))
    storage.complete(made.id, head_of(made))
    findings = verify_object(storage, made.id, advance)
    if findings:
        storage.remove(made.id)
        raise IntegrityError(
            f"{inventory.id} was not pruned: the copy is not sound",
            where=Where(storage.address), details=findings[:10],
            hint="`freeze archive verify` first",
        )  # fmt: skip
    storage.remove(inventory.id)
    return made.id


def without(inventory: Inventory, keep: Collection[int]) -> Inventory:
    """Return an inventory with some versions only, renumbered, under the next name."""
    versions = tuple(one for n, one in enumerate(inventory.versions, 1) if n in keep)
    manifest: dict[str, str] = {}
    for number, one in enumerate(versions, 1):
        for path, sha256 in sorted(one.state.items()):
            manifest.setdefault(sha256, f"v{number}/content/{path}")
    return Inventory(next_name(inventory.id), dict(sorted(manifest.items())), versions)


def _up_to(inventory: Inventory, number: int) -> dict[str, str]:
    """Return the manifest as it was when a version was the newest one."""
    digests = {one for version in inventory.versions[:number] for one in version.state.values()}
    return {sha256: path for sha256, path in inventory.manifest.items() if sha256 in digests}
