"""``freeze check --against N``: the current lock compared with the results of an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.assess import assess_change
from freezer.check.reference import FOLDER, parse_reference, reference_path
from freezer.errors import CheckError, Where
from freezer.flows.check.check import no_image
from freezer.flows.check.expectations import as_expected, expectations_of
from freezer.flows.check.result import CheckResult
from freezer.flows.check.run_training import smoke_runner
from freezer.flows.history.generations import history, locked_of, shown_folder
from freezer.flows.image.build import verified_image
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.rollback.earlier_image import image_here
from freezer.history.stored import verified_file

if TYPE_CHECKING:
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.generation import Generation
    from freezer.model.record.record import Record


def check_against(project: Project, name: str | None, number: int | str) -> CheckResult:
    """Train in the current lock's image and compare with the results of another generation.

    It finds whether a change of the lock changed the results. Nothing is recorded: whether the
    current lock reproduces its own results is another question. Raises ``CheckError`` when the
    image is not built or that generation has no reference of this host's numerics class or of these
    trainings, and ``HistoryError``.
    """
    locked = load_current_lock(project, name)
    past = history(project, locked.lock.name)
    earlier = past.find(number)
    kept = locked_of(project, locked.lock.name, earlier)
    _require_same_trainings(locked, kept, earlier)
    image = verified_image(project, locked)
    if image is None:
        raise no_image(locked)
    runner = smoke_runner(project, locked.lock, locked.id, image.id)
    first = runner.run("Training")
    class_ = _class_here(project, past, earlier, kept, first)
    reference = _reference(kept, class_, past.references(earlier.lock_id)[class_])
    found = assess_change(first, reference, runner)
    found, outcomes = as_expected(found, expectations_of(project, locked))
    return CheckResult(
        locked=locked,
        image=image.id,
        assessment=found,
        outcomes=outcomes,
        reference=str(reference_path(kept.folder, class_).relative_to(project.root)),
    )


def _require_same_trainings(locked: Locked, kept: Locked, earlier: Generation) -> None:
    """Raise ``CheckError`` unless both locks have the same version of the trainings."""
    old, new = kept.lock.inside, locked.lock.inside
    if old.sha256 != new.sha256:
        name = locked.lock.name
        raise CheckError(
            f"generation {earlier.number} was trained by another version of Freezer's runtime",
            where=Where(shown_folder(name)),
            found=f"freezer_inside {old.version} ({old.sha256[:12]})",
            expected=f"{new.version} ({new.sha256[:12]}), which the current lock has",
            hint=f"`freeze bisect {name} --good {earlier.number}` trains both with the same one",
        )


def _class_here(
    project: Project, past: History, earlier: Generation, kept: Locked, first: Record
) -> str:
    """Return the class of an earlier lock's references that applies to this host.

    Usually it is the current lock's. But the libraries that select kernels are locked as well:
    another BLAS may select others on the same CPU. Raises ``CheckError``.
    """
    recorded = past.references(earlier.lock_id)
    if first.host.class_ in recorded:
        return first.host.class_
    image = image_here(project, kept, past.images(earlier.lock_id)) if recorded else None
    classes = [first.host.class_]
    if image is not None:
        title = f"Training generation {earlier.number}, whose kernels may differ"
        host = smoke_runner(project, kept.lock, kept.id, image.id).run(title)
        if host.host.class_ in recorded:
            return host.host.class_
        classes.append(host.host.class_)
    name = kept.lock.name
    raise CheckError(
        f"generation {earlier.number} has no reference of this host's numerics class",
        where=Where(shown_folder(name)),
        found=", ".join(sorted(recorded)) or "none",
        expected=" or ".join(dict.fromkeys(classes)),
        hint=f"`freeze check {name} --generation {earlier.number} --record` records one",
    )


def _reference(kept: Locked, class_: str, sha256: str) -> Record:
    """Return a reference in the history. Raises ``HistoryError`` when it was edited."""
    name = f"{FOLDER}/{class_}.json"
    return parse_reference(verified_file(kept.folder, name, sha256, kept.folder.name), name)
