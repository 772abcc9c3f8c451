"""``freeze check``: say whether the environment still trains to the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.check.compare import compare
from freezer.check.locks import compare_locks
from freezer.check.reference import (
    FOLDER,
    read_reference,
    reference_path,
    references,
    write_reference,
)
from freezer.errors import BusyError, CheckError, HistoryError, HostError
from freezer.fetch.store import disk_errors
from freezer.flows.build import verified_image
from freezer.flows.cause import find_cause
from freezer.flows.checks import record_check
from freezer.flows.spec import Locked, load_locked
from freezer.flows.training import demand_host, train
from freezer.model.lockfile import short_id
from freezer.model.verdict import MOVED, Verdict, Word

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.check.experiments import Tried
    from freezer.engine.interface import ImageInfo
    from freezer.flows.sources import Workshop
    from freezer.model.record import Record


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
    """What the record was held against: the reference, or the first of two runs."""
    tried: tuple[Tried, ...] = ()
    """Where other numbers are no accident: experiments that looked for their cause."""


def check(workshop: Workshop, name: str | None, *, record: bool = False) -> CheckResult:
    """Check an environment's current lock, as `check_locked` does, and record it in the history.

    A history that cannot be written, or was edited, or forks, is warned of: the verdict stands
    without it. Raises as `check_locked` does, and ``LockError`` where there is no lock.
    """
    result = check_locked(workshop, load_locked(workshop.project, name), record=record)
    try:
        record_check(workshop, result.locked, result.record, result.verdict.word)
    except (HistoryError, HostError, BusyError) as error:
        workshop.report.warn(f"the check is not in the history: {error}")
    return result


def check_locked(
    workshop: Workshop,
    locked: Locked,
    *,
    record: bool = False,
    keep: bool = True,
    image: ImageInfo | None = None,
) -> CheckResult:
    """Run a lock's smoke trainings in its image and compare them with its reference.

    The image is the verified one that the engine holds, unless one is given.

    Without a reference for this host's numerics class they are run twice, and recorded only if
    both runs are identical to the bit; ``record`` does so even where there is a reference, and
    without ``keep`` nothing is recorded. After a drift they are run again, to tell chance from
    change. What fails is not run again. Raises ``HostError`` where the driver is too old for the
    lock's CUDA, ``CheckError`` when the image is not built or the trainings cannot be run.
    """
    demand_host(workshop, locked.lock)
    image = image or verified_image(workshop, locked)
    if image is None:
        raise CheckError(
            f"the engine holds no verified image of lock {locked.id[:12]}",
            hint=f"run `freeze build {locked.lock.name}`",
        )
    first = train(workshop, locked.lock, locked.id, image.id, "Training")
    path = reference_path(locked.folder, first.host.class_)
    shown = _shown(workshop, path)
    reference = None if record else read_reference(path, shown)
    others = _others(locked, first)
    tried: tuple[Tried, ...] = ()
    if reference is not None and reference.lock_id != locked.id:
        # An earlier lock's numbers decide nothing: its packages were others. Good to know, though.
        earlier = compare_locks(reference, first)
        others = ((f"lock {short_id(reference.lock_id)}", earlier), *others)
        if earlier.word in MOVED:
            tried = find_cause(workshop, locked, image.id, reference, first)
    elif reference is not None:
        verdict, repeats = compare(reference, first), None
        if verdict.word in MOVED:
            second = _again(workshop, locked, image.id, first)
            repeats = compare(first, second).word is Word.IDENTICAL
        if repeats:
            tried = find_cause(workshop, locked, image.id, reference, first)
        return CheckResult(
            locked, image.id, first, verdict, False, False, shown, repeats, others, reference, tried
        )
    second = _again(workshop, locked, image.id, first)
    verdict = compare(first, second)
    recorded = keep and verdict.word is Word.IDENTICAL
    if recorded:
        with disk_errors(locked.folder):
            write_reference(locked.folder, second)
    return CheckResult(
        locked, image.id, second, verdict, True, recorded, shown, None, others, first, tried
    )


def _shown(workshop: Workshop, path: Path) -> str:
    """Return a reference's path relative to the project."""
    return str(path.relative_to(workshop.project))


def _again(workshop: Workshop, locked: Locked, image: str, first: Record) -> Record:
    """Run the trainings once more; return the first record where some of them failed."""
    if any(training.failure for training in first.trainings):
        return first
    title = "Training once more, to see that it repeats"
    return train(workshop, locked.lock, locked.id, image, title)


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
