"""``freeze audit``: what in an environment is not deterministic, by the book and by experiment."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

from freezer.check.audit.documented import Note, notes
from freezer.check.audit.factors import factors
from freezer.errors import CheckError, SpecError
from freezer.flows.check.audit_runs import AuditRuns, lanes
from freezer.flows.check.check import no_image
from freezer.flows.check.run_training import smoke_runner
from freezer.flows.image.build import verified_image
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.project.environment import Locked, load_environment

if TYPE_CHECKING:
    from freezer.check.audit.effects import Effect
    from freezer.flows.project.project import Project
    from freezer.model.record.record import Record
    from freezer.model.spec.spec import Accepted


BUDGET: Final = 115.0
"""Seconds; with its own start, the command ends within two minutes."""


@dataclass(frozen=True)
class AuditResult:
    """What an audit found."""

    locked: Locked
    image: str
    record: Record
    """The unchanged run."""
    notes: tuple[Note, ...]
    effects: tuple[Effect, ...]
    skipped: tuple[str, ...]
    """Titles of factors for which no time was left, or whose trainings did not end in it."""
    accepted: tuple[Accepted, ...]
    """What the spec accepts."""
    seconds: float

    @property
    def open(self) -> tuple[Effect, ...]:
        """What does not repeat and is not accepted."""
        names = {item.factor for item in self.accepted}
        return tuple(item for item in self.effects if item.bad and item.factor not in names)

    @property
    def good(self) -> bool:
        """Whether all trainings repeat, but for what the spec accepts."""
        return not self.open


def audit(project: Project, name: str | None, *, budget: float = BUDGET) -> AuditResult:
    """Vary one factor at a time; return what it does to the results.

    ``budget`` are seconds: factors for which no time is left are named and left out, the most
    informative go first. One whose trainings take far longer than is usual is cut off, and says
    nothing: some hang where others use the CPUs (PyTorch with ``OMP_DYNAMIC=TRUE``). Where the
    engine has CPUs for several trainings, so many run at once, each on its own. Raises
    ``CheckError`` when the image is not built or the unchanged trainings do not run.
    """
    locked = load_current_lock(project, name)
    image = verified_image(project, locked)
    if image is None:
        raise no_image(locked)
    started = monotonic()
    runner = smoke_runner(project, locked.lock, locked.id, image.id)
    first = runner.run("Training, nothing changed")
    _require_end(first)
    varied = factors(locked.lock)
    runs = AuditRuns(runner, first, started, budget, lanes(locked.lock, runner.engine.info))
    runs.run(varied)
    return AuditResult(
        locked=locked,
        image=image.id,
        record=first,
        notes=notes(locked.lock),
        effects=tuple(runs.effects(varied)),
        skipped=tuple(runs.skipped(varied)),
        accepted=_accepted(project, locked.lock.name),
        seconds=monotonic() - started,
    )


def _require_end(record: Record) -> None:
    failed = [one for one in record.trainings if one.failure is not None]
    if failed:
        raise CheckError(
            f"the training {failed[0].name!r} does not run, so there is nothing to vary",
            found=(failed[0].failure or "").splitlines()[0],
            hint="run `freeze check`, and fix what it reports",
        )


def _accepted(project: Project, name: str) -> tuple[Accepted, ...]:
    """Return what the spec accepts; a project that came as a bundle has no spec."""
    try:
        return load_environment(project.root, name).spec.determinism.accept
    except SpecError:
        return ()
