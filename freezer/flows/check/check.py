"""``freeze check``: whether an environment still trains to the same results."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from freezer.check.reference import reference_path, stored_references, write_reference
from freezer.errors import BusyError, CheckError, HistoryError, HostError
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.check.expectations import as_expected, expectations_of
from freezer.flows.check.result import CheckResult, Recording
from freezer.flows.check.run_training import require_host, smoke_runner
from freezer.flows.history.recorded import ensure_references, readable_history
from freezer.flows.image.build import verified_image
from freezer.flows.image.current_lock import spec_change, warn_of_spec_change
from freezer.flows.project.environment import load_locked
from freezer.flows.support.preload import meanwhile
from freezer.model.record.verdict import CHANGED, Basis, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from freezer.check.assess import Assessment
    from freezer.engine.interface import ImageInfo
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.history.log import History

_LATER: Final = ("freezer.check.assess", "freezer.flows.check.record")
"""What is needed once the training is over, and takes time to load; it is loaded meanwhile."""


def check(
    project: Project,
    name: str | None,
    *,
    record: bool = False,
    preload: Callable[[], object] = lambda: None,
) -> CheckResult:
    """Check an environment's current lock, as `check_locked` does, and record it in the history.

    With ``record`` the reference is recorded anew. A history that cannot be written, or whose
    branches are not joined, gives a warning: the verdict stands without it. ``preload`` is called
    while the training runs, to load what the output needs. Raises as `check_locked` does, and
    ``LockError`` where there is no lock.
    """
    locked = load_locked(project.root, name)
    recording = Recording.ANEW if record else Recording.WHEN_MISSING

    def prepare() -> None:
        _load(preload)
        spec_change(project, locked)  # reads files, and loads what the resolvers need

    result = check_locked(
        project,
        locked,
        recording=recording,
        preload=prepare,
    )
    warn_of_spec_change(project, locked)
    from freezer.flows.check.record import record_check

    try:
        found = result.assessment
        record_check(project, locked, found.record, found.verdict.word)
    except (HistoryError, HostError, BusyError) as error:
        project.report.warn(f"the check is not in the history: {error}")
    return result


def _load(further: Callable[[], object]) -> None:
    for name in _LATER:
        import_module(name)
    further()


def check_locked(
    project: Project,
    locked: Locked,
    *,
    recording: Recording = Recording.WHEN_MISSING,
    past: History | None = None,
    image: ImageInfo | None = None,
    preload: Callable[[], object] = lambda: None,
    apply_expectations: bool = True,
) -> CheckResult:
    """Run a lock's smoke trainings in its image and compare them with its reference.

    The references are first compared with the history, ``past`` where it was read already. The
    image is the verified one that the engine holds, unless one is given. Without a reference
    for this host's numerics class the trainings run twice, and the record is kept only if both runs
    are identical to the bit. After a drift they run again, to tell chance from change. A failed
    training is not run again. A training whose results are not as the environment's spec expects
    has failed, whichever lock it belongs to, unless ``apply_expectations`` is false.

    Raises ``HostError`` where the driver is too old for the lock's CUDA, ``HistoryError`` for a
    reference that was exchanged or a history that was edited, ``CheckError`` when the image is not
    built or the trainings cannot be run.
    """
    past = past or readable_history(project, locked.lock.name)
    anew = recording is Recording.ANEW
    if not anew:
        ensure_references(project, locked, past)
    require_host(project, locked.lock)
    image = image or verified_image(project, locked)
    if image is None:
        raise no_image(locked)
    runner = smoke_runner(project, locked.lock, locked.id, image.id)
    with meanwhile(preload):
        first = runner.run("Training")
    from freezer.check.assess import assess

    path = reference_path(locked.folder, first.host.class_)
    shown = str(path.relative_to(project.root))
    if anew:
        ensure_references(project, locked, past, renewed=first.host.class_)
    references = stored_references(locked.folder, first, shown, anew=anew)
    expectations = expectations_of(project, locked) if apply_expectations else {}
    found, outcomes = as_expected(assess(first, references, runner), expectations)
    identical_runs = found.basis is Basis.TWO_RUNS and found.verdict.word is Word.IDENTICAL
    recorded = identical_runs and recording is not Recording.NEVER
    if recorded:
        with disk_errors(locked.folder):
            write_reference(locked.folder, found.record)
    return CheckResult(
        locked=locked,
        image=image.id,
        assessment=found,
        reference=shown,
        recorded=recorded,
        outcomes=outcomes,
        measured=_measured(project, locked, found),
    )


def _measured(project: Project, locked: Locked, found: Assessment) -> tuple[str, ...]:
    """Return measured effects that fit an own training which does not repeat."""
    restless = found.basis is Basis.TWO_RUNS or found.repeats is False
    if found.verdict.word not in CHANGED or not restless or not locked.lock.smoke.command:
        return ()
    from freezer.check.cause.measured import fitting_causes
    from freezer.flows.check.own_sources import own_sources

    return fitting_causes(locked.lock, own_sources(project, locked.lock))


def no_image(locked: Locked) -> CheckError:
    """Return the error for a lock whose image is not built, or was not verified."""
    return CheckError(
        f"the engine holds no verified image of lock {locked.id[:12]}",
        hint=f"run `freeze build {locked.lock.name}`",
    )
