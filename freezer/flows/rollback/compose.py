"""Composes a switch: the files of an earlier lock, those that they replace, and the new entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.check.reference import FOLDER, parse_reference
from freezer.errors import CheckError
from freezer.flows.check.record import checked_entry, inventory_in
from freezer.flows.history.entries import new_generation, summary_of
from freezer.flows.history.lock_files import WRITTEN
from freezer.flows.project.environment import LOCKS
from freezer.history.archive import archive_folder, verified_file
from freezer.history.switch import Switch
from freezer.model.canonical import digest
from freezer.model.record.inventory import INVENTORY_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.flows.check.result import CheckResult
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.generation import Generation

_STORED: Final = WRITTEN | {INVENTORY_FILE}


def verified_past(past: History, target: Generation, locked: Locked, shown: str) -> None:
    """Compare every file of a generation with the history. Raises ``HistoryError``."""
    place = f"{shown}/history/{locked.id}"
    for name, sha256 in target.files.items():
        verified_file(locked.folder, name, sha256, place)
    for class_, sha256 in past.references(locked.id).items():
        verified_file(locked.folder, f"{FOLDER}/{class_}.json", sha256, place)


def compose_switch(
    project: Project,
    past: History,
    target: Generation,
    locked: Locked,
    result: CheckResult,
    changed: Sequence[str],
    *,
    reason: str | None,
    deviation: bool,
) -> Switch:
    """Return the switch to a generation of the past; nothing is written."""
    folder = project.root / LOCKS / locked.lock.name
    files = dict(target.files)
    inventory = locked.folder / INVENTORY_FILE
    if inventory.is_file():
        files[INVENTORY_FILE] = digest(inventory.read_bytes())
    kept = sorted((locked.folder / FOLDER).glob("*.json"))
    references = {path.name: digest(path.read_bytes()) for path in kept}
    entry = new_generation(
        project,
        past,
        locked.id,
        action="rollback",
        image=result.image,
        files=target.files,
        reason=reason,
        summary=f"back to generation {target.number}: {summary_of(changed)}",
        deviation=deviation,
    )
    mine = locked.folder / FOLDER / f"{result.record.host.class_}.json"
    after = past.extended(entry)
    reference = mine.read_bytes() if mine.is_file() else None
    check = checked_entry(
        project,
        after,
        entry,
        result.record,
        result.verdict.word,
        reference,
        inventory_in(locked.folder),
    )
    return Switch(
        name=locked.lock.name,
        lock_id=locked.id,
        image=result.image,
        files=files,
        references=references,
        removed=tuple(sorted(one for one in _STORED - files.keys() if (folder / one).is_file())),
        removed_references=tuple(_replaceable(folder, references)),
        entries=(entry, check),
    )


def _replaceable(folder: Path, references: dict[str, str]) -> list[str]:
    """Return the references next to the current lock of which the history has another copy."""
    found = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        data = path.read_bytes()
        try:
            owner = parse_reference(data, path.name).lock_id
        except CheckError:
            continue
        kept = archive_folder(folder, owner) / FOLDER / path.name
        if path.name not in references and kept.is_file() and kept.read_bytes() == data:
            found.append(path.name)
    return found
