"""``freeze check --against N``: the current lock held against the numbers of an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.compare import compare
from freezer.check.reference import FOLDER, parse_reference, reference_path
from freezer.errors import CheckError, Where
from freezer.flows.build import verified_image
from freezer.flows.cause import find_cause
from freezer.flows.check import CheckResult
from freezer.flows.generations import history, locked_of, shown_folder
from freezer.flows.spec import load_locked
from freezer.flows.training import train
from freezer.history.archive import verified_file
from freezer.model.verdict import MOVED, Word

if TYPE_CHECKING:
    from freezer.check.experiments import Tried
    from freezer.flows.sources import Workshop
    from freezer.flows.spec import Locked
    from freezer.model.record import Record


def check_against(workshop: Workshop, name: str | None, number: int | str) -> CheckResult:
    """Train in the current lock's image and compare with the numbers of another generation.

    It answers whether a change of the lock moved the numbers, and records nothing: what the current
    lock itself gives is another question. Raises ``CheckError`` when the image is not built or that
    generation has no numbers of this host's class, and ``HistoryError``.
    """
    locked = load_locked(workshop.project, name)
    past = history(workshop, locked.lock.name)
    earlier = past.find(number)
    kept = locked_of(workshop, locked.lock.name, earlier)
    image = verified_image(workshop, locked)
    if image is None:
        raise CheckError(
            f"the engine holds no verified image of lock {locked.id[:12]}",
            hint=f"run `freeze build {locked.lock.name}`",
        )
    recorded = past.references(earlier.lock_id)
    first = train(workshop, locked.lock, locked.id, image.id, "Training")
    if first.host.class_ not in recorded:
        raise CheckError(
            f"generation {earlier.number} has no numbers of this host's class",
            where=Where(shown_folder(locked.lock.name)),
            found=", ".join(sorted(recorded)) or "none",
            expected=first.host.class_,
            hint=f"`freeze check {locked.lock.name} --generation {earlier.number} --record` makes "
            "them",
        )
    reference = _reference(kept, first.host.class_, recorded[first.host.class_])
    verdict, repeats = compare(reference, first), None
    tried: tuple[Tried, ...] = ()
    if verdict.word in MOVED:
        again = train(workshop, locked.lock, locked.id, image.id, "Training once more")
        repeats = compare(first, again).word is Word.IDENTICAL
        tried = find_cause(workshop, locked, image.id, reference, first) if repeats else ()
    path = reference_path(kept.folder, first.host.class_)
    shown = str(path.relative_to(workshop.project))
    return CheckResult(
        locked, image.id, first, verdict, False, False, shown, repeats, (), reference, tried
    )


def _reference(kept: Locked, class_: str, sha256: str) -> Record:
    """Return the numbers that the history names. Raises ``HistoryError`` when they were edited."""
    name = f"{FOLDER}/{class_}.json"
    return parse_reference(verified_file(kept.folder, name, sha256, kept.folder.name), name)
