"""``freeze archive verify``: every byte of an archive, and who signed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import IntegrityError
from freezer.fetch.archive_storage.location import open_storage
from freezer.flows.governance.archive.versions import manifest_of, signature_problem
from freezer.flows.governance.key_files import read_keys
from freezer.governance.archive.fixity import verify_object, verify_root
from freezer.governance.archive.manifest import MANIFEST, SIGNATURE
from freezer.governance.archive.ocfl import current_objects, open_root, read_object

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from freezer.fetch.archive_storage.interface import Storage
    from freezer.flows.project.project import Project
    from freezer.governance.attest.keys import PublicKey


@dataclass(frozen=True)
class Fixity:
    """Whether an archive is what was written."""

    archive: str
    environments: int
    size: int
    """Bytes that were read."""
    findings: tuple[str, ...]
    """A sentence for each file that is not, and each version that is not signed."""
    signed: bool
    """Whether signatures were verified."""


def verify_archive(
    project: Project, place: str, keys: Sequence[Path] = (), at: datetime | None = None
) -> Fixity:
    """Read every byte of an archive, and return what changed since it was written.

    With keys the newest version of each environment must be signed by one of them, and so must
    every earlier one that has a signature. ``at``: when certificates must be valid.
    """
    storage = open_storage(place, project.config)
    loaded = read_keys(keys)
    open_root(storage, make=False)
    findings = verify_root(storage)
    size = 0

    with project.report.task("Verifying the archive", unit="bytes") as task:

        def advance(count: int) -> None:
            nonlocal size
            size += count
            task.advance(count)

        for name in storage.objects():
            findings += verify_object(storage, name, advance)
    current = current_objects(storage)
    for name in current.values():
        findings += _manifests(storage, name, loaded, at)
    return Fixity(storage.address, len(current), size, tuple(findings), bool(loaded))


def _manifests(
    storage: Storage, name: str, keys: Sequence[PublicKey], at: datetime | None
) -> list[str]:
    try:
        inventory = read_object(storage, name)
    except IntegrityError:
        return []  # `verify_object` has it
    found = []
    for number, one in enumerate(inventory.versions if inventory else (), 1):
        problem = None
        try:
            manifest_of(storage, name, inventory, number)  # type: ignore[arg-type]
        except IntegrityError as error:
            problem = error.found or error.what
        if problem is not None:
            found.append(f"{name}/v{number}, {MANIFEST}: {problem}")
        newest = inventory is not None and number == len(inventory.versions)
        if keys and (newest or SIGNATURE in one.state):
            unsigned = signature_problem(storage, inventory, number, keys, at)  # type: ignore[arg-type]
            found += [f"{name}/v{number}: {unsigned}"] if unsigned else []
    return found
