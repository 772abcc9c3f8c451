"""The versions of an archive: what each holds, and by whom it is signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import HostError, IntegrityError, Where
from freezer.governance.archive.manifest import (
    LARGEST,
    MANIFEST,
    SIGNATURE,
    Manifest,
    listed,
    parse_manifest,
)
from freezer.governance.archive.ocfl import (
    current_objects,
    open_root,
    read_object,
    recover_object,
    take_content,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from freezer.fetch.archive_storage.interface import Storage
    from freezer.governance.archive.inventory import Inventory
    from freezer.governance.attest.keys import PublicKey


@dataclass(frozen=True)
class Entry:
    """One version in an archive."""

    environment: str
    version: str
    created: str
    message: str
    files: int
    runs: tuple[str, ...]
    signed: bool
    """Whether it has a signature, of whatever key."""


def list_archive(storage: Storage) -> tuple[Entry, ...]:
    """Return every version in an archive. Raises ``HostError``, ``IntegrityError``."""
    open_root(storage, make=False)
    found = []
    for environment, name in current_objects(storage).items():
        inventory = read_object(storage, name)
        for number, one in enumerate(inventory.versions if inventory else (), 1):
            runs = {path.split("/")[1] for path in one.state if path.startswith("runs/")}
            signed = SIGNATURE in one.state
            message, files = one.message, len(one.state)
            found.append(
                Entry(environment, f"v{number}", one.created, message, files,
                      tuple(sorted(runs)), signed)
            )  # fmt: skip
    return tuple(found)


def inventory_of(storage: Storage, environment: str) -> tuple[Inventory, bool]:
    """Return the inventory of an environment, and whether the object's own one was of no use.

    Raises ``HostError`` where the archive does not have it.
    """
    known = current_objects(storage)
    name = known.get(environment)
    inventory, damaged = None, False
    if name is not None:
        try:
            inventory = read_object(storage, name)
        except IntegrityError:
            inventory = None
        if inventory is None:
            inventory, damaged = recover_object(storage, name), True
    if inventory is None:
        others = ", ".join(one for one in known if one != environment) or "nothing else"
        begun = f"files of {environment} without an inventory, and " if name is not None else ""
        raise HostError(
            f"the archive has no {environment}", where=Where(storage.address),
            found=f"{begun}{others}",
        )  # fmt: skip
    return inventory, damaged


def small_content(storage: Storage, inventory: Inventory, sha256: str, limit: int) -> bytes:
    """Return a file of a version by its digest. Raises ``IntegrityError``."""
    path = inventory.manifest[sha256]
    parts: list[bytes] = []

    def take(blocks: Iterator[bytes]) -> None:
        parts.clear()
        for block in blocks:
            parts.append(block)
            if sum(map(len, parts)) > limit:
                raise IntegrityError("a file of the archive is too large", where=Where(path))

    stored = storage.files(inventory.id).get(path)
    take_content(storage, f"{inventory.id}/{path}", stored, sha256, take)
    return b"".join(parts)


def manifest_of(storage: Storage, name: str, inventory: Inventory, number: int) -> Manifest | None:
    """Return the manifest of a version; None where it was archived without one.

    Raises ``IntegrityError`` for one that is not that of the version.
    """
    state = inventory.versions[number - 1].state
    if MANIFEST not in state:
        return None
    data = small_content(storage, inventory, state[MANIFEST], LARGEST)
    place = Where(f"{name}/v{number}/{MANIFEST}")
    try:
        found = parse_manifest(data, str(place))
    except ValueError as error:
        raise _unusable(place, str(error)[:200]) from None
    if found.files != listed(state):
        raise _unusable(place, f"it does not list the files of v{number}")
    return found


def _unusable(place: Where, found: str) -> IntegrityError:
    return IntegrityError("the manifest cannot be used", where=place, found=found)


def signature_problem(
    storage: Storage,
    inventory: Inventory,
    number: int,
    keys: Sequence[PublicKey],
    at: datetime | None = None,
) -> str | None:
    """Return why a version does not count as signed by one of some keys; None: it does.

    ``at``: when certificates must be valid, by default now.
    """
    from freezer.flows.governance.attest import lapse_of
    from freezer.governance.attest.bundle import verify_statement

    state: Mapping[str, str] = inventory.versions[number - 1].state
    if SIGNATURE not in state or MANIFEST not in state:
        return "it is not signed"
    try:
        manifest_of(storage, inventory.id, inventory, number)
        manifest = small_content(storage, inventory, state[MANIFEST], LARGEST)
        bundle = small_content(storage, inventory, state[SIGNATURE], 2 * LARGEST)
        payload, signers = verify_statement(bundle, keys, f"v{number}/{SIGNATURE}")
    except IntegrityError as error:
        return error.what
    if payload != manifest:
        return "its signature is over another manifest"
    return lapse_of(signers, at) if signers else "none of the given keys signed it"
