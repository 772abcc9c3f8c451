"""``freeze audit``: what in an environment is not deterministic, by the book and by experiment."""

from __future__ import annotations

from dataclasses import dataclass, field
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
from freezer.flows.project.image_runtime import require_runtime
from freezer.image.runtime import runtime_files
from freezer.inside.freezer_inside.smoke import OWN
from freezer.inside.freezer_inside.switches import WITHOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.check.audit.effects import Effect
    from freezer.check.audit.factors import Factor
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock
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
    measured: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Factor that changes the user's own training to the measured effects that fit it."""

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
    varied = tuple(item for item in factors(locked.lock) if _has_switch(project, locked.lock, item))
    runs = AuditRuns(runner, first, started, budget, lanes(locked.lock, runner.engine.info))
    runs.run(varied)
    found = tuple(runs.effects(varied))
    return AuditResult(
        locked=locked,
        image=image.id,
        record=first,
        notes=notes(locked.lock),
        effects=found,
        skipped=tuple(runs.skipped(varied)),
        accepted=_accepted(project, locked.lock.name),
        seconds=monotonic() - started,
        measured=_measured(project, locked.lock, found),
    )


def _measured(project: Project, lock: Lock, found: Sequence[Effect]) -> dict[str, tuple[str, ...]]:
    """Return the measured effects that fit each factor by which the user's own training changes."""
    changing = [one.factor for one in found if one.changes and one.training == OWN]
    if not changing:
        return {}
    from freezer.check.cause.measured import fitting_effects
    from freezer.flows.check.own_sources import own_sources

    sources = own_sources(project, lock)
    fitting = {name: fitting_effects(lock, sources, name) for name in changing}
    return {name: sentences for name, sentences in fitting.items() if sentences}


def _has_switch(project: Project, lock: Lock, factor: Factor) -> bool:
    """Return whether the lock's runtime knows the switch that a factor leaves out.

    An older one ignores a switch that is newer: the factor would say that it changes nothing.
    """
    title = factor.environment.get(WITHOUT)
    if title is None:
        return True
    require_runtime(project, lock)
    name = title.partition(": ")[2].encode()
    return any(b'"%s"' % name in data for data in runtime_files(lock, project.store).values())


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
