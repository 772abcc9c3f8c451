"""What flows return, as the plain values of the Python API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.api.results import (
    BuildResult,
    CheckResult,
    LockResult,
    Package,
    RollbackResult,
    TrainingResult,
    UpdateResult,
)
from freezer.model.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.flows.check.result import CheckResult as Checked
    from freezer.flows.image.build import Built
    from freezer.flows.lock.lock import LockResult as Done
    from freezer.flows.project.environment import Locked
    from freezer.flows.rollback.plan import Rollback
    from freezer.flows.update.update import UpdateResult as Updated
    from freezer.model.lock import Lock
    from freezer.model.record.verdict import TrainingVerdict


def lock(done: Done) -> LockResult:
    """Return the result of ``freeze lock``."""
    return _lock(done.locked, done.changed, done.first, done.changes)


def checked_lock(locked: Locked) -> LockResult:
    """Return the result of ``freeze lock --check`` for a lock that answers its spec."""
    return _lock(locked, False, False, ())


def _lock(locked: Locked, changed: bool, first: bool, changes: tuple[str, ...]) -> LockResult:
    def document() -> dict[str, Any]:
        from freezer.output.lock.lock import document as facts

        return {**facts(locked), "changed": changed, "changes": list(changes)}

    return LockResult(
        environment=locked.lock.name,
        lock_id=locked.id,
        path=locked.folder / LOCK_FILE,
        as_of=locked.lock.as_of,
        changed=changed,
        first=first,
        changes=changes,
        packages=tuple(_packages(locked.lock)),
        _document=document,
    )


def _packages(locked: Lock) -> Iterator[Package]:
    from freezer.ecosystems import ECOSYSTEMS

    for ecosystem in ECOSYSTEMS:
        for one in ecosystem.packages(locked):
            file, sha256 = getattr(one, "file", None), getattr(one, "sha256", None)
            yield Package(ecosystem.name, one.name, one.version, file, sha256)


def build(done: Built) -> BuildResult:
    """Return the result of ``freeze build``."""

    def document() -> dict[str, Any]:
        from freezer.output.image.build import document as facts

        return facts(done)

    return BuildResult(
        environment=done.locked.lock.name,
        lock_id=done.locked.id,
        image=done.image,
        tags=done.tags,
        built=done.fresh,
        size=done.size,
        seconds=done.seconds,
        _document=document,
    )


def check(done: Checked) -> CheckResult:
    """Return the result of ``freeze check``."""

    def document() -> dict[str, Any]:
        from freezer.output.check.check import document as facts

        return facts(done)

    return CheckResult(
        environment=done.locked.lock.name,
        lock_id=done.locked.id,
        image=done.image,
        verdict=done.verdict.word.value,
        good=done.verdict.good,
        recorded=done.recorded,
        reference=done.reference,
        numerics_class=done.record.host.class_,
        trainings=tuple(_training(one) for one in done.verdict.trainings),
        causes=done.verdict.causes,
        _document=document,
    )


def _training(one: TrainingVerdict) -> TrainingResult:
    return TrainingResult(
        name=one.training,
        verdict=one.word.value,
        observations=one.observations,
        first_difference=one.first.what if one.first else None,
        reason=one.reason,
    )


def update(done: Updated) -> UpdateResult:
    """Return the result of ``freeze update``."""

    def document() -> dict[str, Any]:
        from freezer.output.lock.update import document as facts

        return facts(done)

    return UpdateResult(
        environment=done.lock.name,
        lock_id=done.written.id if done.written else done.before.id,
        previous_lock_id=done.before.id,
        written=done.written is not None,
        refused=done.refused,
        generation=done.generation.number if done.generation else None,
        moves=done.moves,
        limits=done.limits,
        _document=document,
    )


def rollback(done: Rollback) -> RollbackResult:
    """Return the result of ``freeze rollback``."""

    def document() -> dict[str, Any]:
        from freezer.output.history.rollback import document as facts

        return facts(done)

    return RollbackResult(
        environment=done.name,
        lock_id=done.target.lock_id,
        done=done.done is not None,
        before=done.current.number,
        target=done.target.number,
        generation=done.done.number if done.done else None,
        image=done.image,
        verdict=done.check.verdict.word.value if done.check else None,
        reason_refused=done.why_not,
        deviation=done.done is not None and done.done.deviation,
        changes=done.changes,
        satisfies_spec=done.satisfies_spec,
        _document=document,
    )
