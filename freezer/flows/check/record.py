"""Checks of an environment's generations: recorded when they say something new."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from freezer.errors import FreezerError
from freezer.flows.history.entries import now
from freezer.flows.history.generations import adopt
from freezer.flows.history.lock_files import files_to_keep, references_to_keep
from freezer.flows.history.opened import open_history
from freezer.flows.project.environment import Locked
from freezer.flows.project.git import author, one_line
from freezer.history.archive import keep
from freezer.history.files import read_regular
from freezer.history.stored import INVENTORY_FILE
from freezer.model.canonical import digest
from freezer.model.generation import Checked, Generation

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.record.record import Record
    from freezer.model.record.verdict import Word


def record_check(project: Project, locked: Locked, record: Record, word: Word) -> Checked | None:
    """Record the result of a check of a lock, and keep its reference; return the entry.

    ``locked`` is the current lock or one of the past. None when the last check of the generation
    in this numerics class came to the same against the same reference: nothing is touched then.
    Raises ``HistoryError``.
    """
    with open_history(project, locked.lock.name) as opened:
        adopt(opened, renewed=record.host.class_)
        past = opened.past
        checked = past.last_of(locked.id)
        if checked is None:
            return None
        own = f"{record.host.class_}.json"  # compared with the history by the check, or just made
        references = references_to_keep(locked, past, written=(own,))
        kept = keep(opened.folder, locked.id, files_to_keep(locked, past), references)
        taken = _keep_inventory(project, Locked(locked.lock, locked.id, kept), record)
        inventory = inventory_in(kept) if taken else past.inventory(locked.id)
        entry = checked_entry(
            project,
            past,
            checked,
            record,
            word,
            reference=digest(references[own]) if own in references else None,
            inventory=inventory,
        )
        if said_before(past, checked, entry):
            return None
        opened.add(entry)
        return entry


def _keep_inventory(project: Project, kept: Locked, record: Record) -> bool:
    """Keep the inventory of the image with its lock; say whether it was taken.

    The training compared it with the image.
    """
    from freezer.flows.image.inventory_cache import keep_inventory

    if record.inventory is not None:
        with suppress(FreezerError):  # the numbers are what was asked for
            keep_inventory(project, kept, record.image)
            return True
    return False


def checked_entry(
    project: Project,
    past: History,
    checked: Generation,
    record: Record,
    word: Word,
    *,
    reference: str | None,
    inventory: str | None,
) -> Checked:
    """Return the entry for a check of a generation, as the next one of a history.

    ``reference`` and ``inventory`` are the SHA-256 of the files that it was made with.
    """
    who = author(project.root)
    return Checked(
        parents=past.tips,
        date=now(),
        generation=checked.number,
        lock_id=checked.lock_id,
        class_=record.host.class_,
        word=word,
        image=record.image,
        reference=reference,
        inventory=inventory,
        who=who.who,
        commit=who.commit,
        cpu=one_line(record.host.cpu, 200) or "unknown",
    )


def said_before(past: History, checked: Generation, entry: Checked) -> bool:
    """Say whether the last check of a generation in this class came to the same."""
    same = [one for one in past.verdicts(checked) if one.class_ == entry.class_]
    return bool(same) and _said(same[-1]) == _said(entry)


def _said(entry: Checked) -> tuple[Word, str | None, str | None]:
    return entry.word, entry.reference, entry.inventory


def inventory_in(folder: Path) -> str | None:
    """Return the SHA-256 of the inventory that is kept with a lock; None where there is none."""
    try:
        return digest(read_regular(folder, INVENTORY_FILE))
    except OSError:
        return None
