"""Trials of a bisection: builds and trains a lock, and compares the results."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Self

from freezer.check.compare.locks import compare_locks
from freezer.errors import BusyError, EngineError, FreezerError
from freezer.flows.check.run_training import smoke_runner
from freezer.flows.history.generations import locked_of
from freezer.flows.image.build import build_locked, image_tags
from freezer.flows.project.environment import Locked
from freezer.flows.rollback.earlier_image import obtain_image
from freezer.history.between import Change, between
from freezer.history.search import State
from freezer.model.lockfile import lock_bytes, lock_id
from freezer.model.record.verdict import Verdict, Word
from freezer.resolve.python.consistency import unmet

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.generation import Generation
    from freezer.model.lock import ImageRuntime, Lock
    from freezer.model.record.record import Record


@dataclass(frozen=True)
class Trial:
    """One lock that was tried."""

    title: str
    changes: tuple[Change, ...] | None
    """Changes applied to the last good lock; None for an unchanged generation."""
    state: State
    summary: str
    """The verdict and the first difference, or why there is none."""
    verdict: Verdict | None
    seconds: float


class Trials:
    """Makes and reports trials, and removes images that only they needed.

    All of them use the Freezer runtime that gave the expected results.
    """

    def __init__(
        self, project: Project, expected: Record, runtime: ImageRuntime, *, keep: bool
    ) -> None:
        self.made: list[Trial] = []
        self._project = project
        self._expected = expected
        self._runtime = runtime
        self._keep = keep
        self._tags: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for tag in [] if self._keep else self._tags:
            with suppress(FreezerError):  # the result is more important
                self._project.engine().remove_image(tag)

    @property
    def last_bad(self) -> Trial:
        """The last trial with the difference; there is one once the bad generation was tried."""
        return [one for one in self.made if one.state is State.BAD][-1]

    def of(self, changes: tuple[Change, ...]) -> Trial | None:
        """Return the trial of exactly these changes."""
        return next((one for one in self.made if one.changes == changes), None)

    def generation(self, name: str, past: History, one: Generation) -> Trial:
        """Try a generation, with the runtime of all trials."""
        locked, title = locked_of(self._project, name, one), f"generation {one.number}"
        if locked.lock.inside != self._runtime:
            return self._build_and_try(title, None, self.with_runtime(locked.lock))

        def image() -> str:
            return obtain_image(self._project, locked, past.images(locked.id)).info.id

        return self._try(title, None, locked, image)

    def with_runtime(self, lock: Lock) -> Lock:
        """Return a lock with the runtime of all trials."""
        return lock.model_copy(update={"inside": self._runtime})

    def changed(self, old: Lock, new: Lock, some: tuple[Change, ...]) -> Trial:
        """Try a lock with some changes; a conflict of packages is found without a build."""
        lock = between(old, new, some)
        title = "with " + ", ".join(one.title for one in some)
        missing = unmet(lock, self._project.store)
        if missing:
            return self._report(Trial(title, some, State.SKIPPED, missing, None, 0.0))
        return self._build_and_try(title, some, lock)

    def _build_and_try(self, title: str, some: tuple[Change, ...] | None, lock: Lock) -> Trial:
        """Try a lock that is of no generation."""
        data = lock_bytes(lock)
        with self._project.store.scratch() as folder:
            locked = Locked(lock, lock_id(data), folder)

            def image() -> str:
                before = self._project.engine().image(image_tags(lock, locked.id)[0])
                built = build_locked(self._project, locked, latest=False)
                if before is None:
                    self._tags.append(built.tags[0])
                return built.image

            return self._try(title, some, locked, image)

    def _try(
        self,
        title: str,
        changes: tuple[Change, ...] | None,
        locked: Locked,
        image: Callable[[], str],
    ) -> Trial:
        known = next((one for one in self.made if one.title == title), None)
        if known is not None:
            return known
        started = monotonic()
        try:
            runner = smoke_runner(self._project, locked.lock, locked.id, image())
            record = runner.run(f"Training {title}")
        except (EngineError, BusyError):
            raise  # the next trial would fail in the same way
        except FreezerError as error:
            summary = "; ".join([error.what, *error.details[:2]])
            state, verdict = State.SKIPPED, None
        else:
            verdict = compare_locks(self._expected, record)
            state, summary = _state(verdict), _summary(verdict)
        return self._report(Trial(title, changes, state, summary, verdict, monotonic() - started))

    def _report(self, trial: Trial) -> Trial:
        self.made.append(trial)
        self._project.report.note(f"{trial.state.value}: {trial.title}: {trial.summary}")
        return trial


def _state(verdict: Verdict) -> State:
    if verdict.good:
        return State.GOOD
    return State.BAD if verdict.word is Word.DRIFTED else State.SKIPPED


def _summary(verdict: Verdict) -> str:
    for one in verdict.trainings:
        if one.first is not None:
            return f"{verdict.word}, first in {one.training}: {one.first.what}"
        if one.reason is not None:
            return f"{verdict.word}: {one.reason.splitlines()[0]}"
    return f"{verdict.word}"
