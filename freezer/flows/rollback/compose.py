"""Composes a switch: the files of an earlier lock, those that they replace, and the new entries."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from freezer.check.reference import FOLDER
from freezer.flows.check.record import checked_entry, inventory_in
from freezer.flows.history.entries import new_generation, summary_of
from freezer.flows.history.lock_files import (
    WRITTEN,
    hashes,
    reference_files,
    references_to_keep,
)
from freezer.flows.project.environment import LOCKS
from freezer.history.archive import archive_folder
from freezer.history.files import read_regular
from freezer.history.stored import (
    INVENTORY_FILE,
    recorded_exports,
    recorded_files,
    verified_file,
)
from freezer.history.switch import Switch

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
    for name, sha256 in (target.files | recorded_files(past, locked.id)).items():
        verified_file(locked.folder, name, sha256, place)


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
    exports = {**target.files, **recorded_exports(past, locked.id)}
    files = dict(exports)
    inventory = inventory_in(locked.folder)
    if inventory is not None:
        files[INVENTORY_FILE] = inventory
    own = f"{result.record.host.class_}.json"  # the check compared it, or just made it
    references = hashes(references_to_keep(locked, past, written=(own,)))
    entry = new_generation(
        project,
        past,
        locked.id,
        action="rollback",
        image=result.image,
        files=exports,
        reason=reason,
        summary=f"back to generation {target.number}: {summary_of(changed)}",
        deviation=deviation,
    )
    check = checked_entry(
        project,
        past.extended(entry),
        entry,
        result.record,
        result.verdict.word,
        reference=references.get(own),
        inventory=inventory,
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
    for name, (lock_id, data) in reference_files(folder).items():
        if lock_id is None or name in references:
            continue
        with suppress(OSError):
            if read_regular(archive_folder(folder, lock_id), f"{FOLDER}/{name}") == data:
                found.append(name)
    return found
