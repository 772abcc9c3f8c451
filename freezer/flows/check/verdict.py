"""From a record to a verdict: compared with its reference, run again, and the cause looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.check.compare.compare import compare
from freezer.check.compare_locks import compare_locks
from freezer.check.reference import (
    FOLDER,
    read_reference,
    reference_path,
    references,
    write_reference,
)
from freezer.errors import CheckError
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.check.cause import find_cause
from freezer.flows.check.run_training import train
from freezer.model.lockfile import short_id
from freezer.model.record.verdict import MOVED, Verdict, Word

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.check.cause.experiments import Tried
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.record.record import Record


@dataclass(frozen=True)
class CheckResult:
    """What a check came to."""

    locked: Locked
    image: str
    record: Record
    verdict: Verdict
    repeated: bool
    """True when there was no reference: two runs were compared, unless the first one failed."""
    recorded: bool
    """True when those two were identical, and the record was kept."""
    reference: str
    """The reference's path, relative to the project."""
    repeats: bool | None = None
    """Of other numbers than the reference's: whether a second run gave the same as the first."""
    others: tuple[tuple[str, Verdict], ...] = ()
    """Other references at hand (other numerics classes, the lock before this one), and how this
    record compares with each; for information only."""
    expected: Record | None = None
    """What the record was compared with: the reference, or the first of two runs."""
    tried: tuple[Tried, ...] = ()
    """Where other numbers are no accident: experiments that looked for their cause."""


def judge(
    project: Project, locked: Locked, image: str, first: Record, *, record: bool, keep: bool
) -> CheckResult:
    """Return what a check comes to whose first run is there; see ``flows.check.check_locked``."""
    path = reference_path(locked.folder, first.host.class_)
    shown = _shown(project, path)
    reference = None if record else read_reference(path, shown)
    others = _others(locked, first)
    tried: tuple[Tried, ...] = ()
    if reference is not None and reference.lock_id != locked.id:
        # An earlier lock's numbers decide nothing: its packages were others. Good to know, though.
        earlier = compare_locks(reference, first)
        others = ((f"lock {short_id(reference.lock_id)}", earlier), *others)
        if earlier.word in MOVED:
            tried = find_cause(project, locked, image, reference, first)
    elif reference is not None:
        verdict, repeats = compare(reference, first), None
        if verdict.word in MOVED:
            second = _again(project, locked, image, first)
            repeats = compare(first, second).word is Word.IDENTICAL
        if repeats:
            tried = find_cause(project, locked, image, reference, first)
        return CheckResult(
            locked, image, first, verdict, False, False, shown, repeats, others, reference, tried
        )
    second = _again(project, locked, image, first)
    verdict = compare(first, second)
    recorded = keep and verdict.word is Word.IDENTICAL
    if recorded:
        with disk_errors(locked.folder):
            write_reference(locked.folder, second)
    return CheckResult(
        locked, image, second, verdict, True, recorded, shown, None, others, first, tried
    )


def _shown(project: Project, path: Path) -> str:
    """Return a reference's path relative to the project."""
    return str(path.relative_to(project.root))


def _again(project: Project, locked: Locked, image: str, first: Record) -> Record:
    """Run the trainings once more; return the first record where some of them failed."""
    if any(training.failure for training in first.trainings):
        return first
    title = "Training once more, to see that it repeats"
    return train(project, locked.lock, locked.id, image, title)


def _others(locked: Locked, record: Record) -> tuple[tuple[str, Verdict], ...]:
    """Compare with references of other classes: never a verdict, but good to know."""
    found = []
    for name in references(locked.folder):
        if name == record.host.class_:
            continue
        try:
            other = read_reference(reference_path(locked.folder, name), f"{FOLDER}/{name}.json")
        except CheckError:
            continue
        if other is not None and other.lock_id == locked.id:
            found.append((f"numerics class {name}", compare(other, record)))
    return tuple(found)
