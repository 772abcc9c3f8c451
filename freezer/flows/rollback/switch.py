"""What it takes to make a lock of the past current: its files, what they replace, the entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.check.reference import FOLDER, parse_reference
from freezer.errors import CheckError
from freezer.flows.check.record import checked_entry, inventory_in
from freezer.flows.history.generations import now, summary_of
from freezer.flows.history.lock_files import WRITTEN
from freezer.flows.project.environment import LOCKS
from freezer.flows.project.git import author, one_line
from freezer.history.archive import archive_folder, verified_file
from freezer.history.log import History
from freezer.history.switch import Switch
from freezer.model.canonical import digest
from freezer.model.generation import Generation
from freezer.model.record.inventory import INVENTORY_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.flows.check.result import CheckResult
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project

_BESIDE: Final = WRITTEN | {INVENTORY_FILE}


def verified_past(past: History, target: Generation, locked: Locked, shown: str) -> None:
    """Hold every file of a generation against the history. Raises ``HistoryError``."""
    place = f"{shown}/history/{locked.id}"
    for name, sha256 in target.files.items():
        verified_file(locked.folder, name, sha256, place)
    for class_, sha256 in past.references(locked.id).items():
        verified_file(locked.folder, f"{FOLDER}/{class_}.json", sha256, place)


def switch_to(
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
    who = author(project.root)
    entry = Generation(
        number=past.next_number,
        parents=past.tips,
        date=now(),
        action="rollback",
        lock_id=locked.id,
        image=result.image,
        files=target.files,
        reason=(one_line(reason) or None) if reason else None,
        who=who.who,
        commit=who.commit,
        summary=one_line(f"back to generation {target.number}: {summary_of(changed)}"),
        deviation=deviation,
    )
    mine = locked.folder / FOLDER / f"{result.record.host.class_}.json"
    after = History((*past.entries, entry), past.shown)
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
        removed=tuple(sorted(one for one in _BESIDE - files.keys() if (folder / one).is_file())),
        removed_references=tuple(_replaceable(folder, references)),
        entries=(entry, check),
    )


def _replaceable(folder: Path, references: dict[str, str]) -> list[str]:
    """Return the references beside the current lock that are kept elsewhere in the history."""
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
