"""The functions of the Python API: each runs one flow and returns its result as plain values."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from freezer.api import convert
from freezer.api.project import opened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.api.project import Project
    from freezer.api.results import (
        BuildResult,
        CheckResult,
        LockResult,
        RollbackResult,
        UpdateResult,
    )


def lock(
    project: Project,
    environment: str | None = None,
    *,
    upgrade: bool = False,
    check: bool = False,
    as_of: datetime | str | None = None,
) -> LockResult:
    """Resolve an environment's spec and write its lock, as ``freeze lock`` does.

    Versions of an existing lock that still answer the spec are kept, unless ``upgrade``.
    ``environment`` may be left out if the project has only one. ``as_of`` takes precedence over the
    spec's cut-off: a ``datetime`` with a time zone, or text such as ``2026-11-01T00:00:00Z``.
    With ``check`` nothing is resolved or written.

    Raises ``SpecError``, ``ResolveError``, ``FetchError`` or ``EngineError``, in which case nothing
    is written; with ``check``, ``StaleLockError`` if the lock no longer satisfies the spec.

    ```python
    locked = freezer.lock(project)
    print(locked.lock_id[:12], locked.path)
    for package in locked.packages:
        print(package.ecosystem, package.name, package.version)
    ```

    In CI, where the lock must be up to date:

    ```python
    try:
        freezer.lock(project, check=True)
    except freezer.errors.StaleLockError as error:
        print(error)  # what happened, where, and the next step
        exit_code = error.exit_code
    ```
    """
    from freezer.flows.lock.lock import check_lock
    from freezer.flows.lock.lock import lock as run

    if check and upgrade:
        msg = "check=True writes nothing, so there is nothing to upgrade"
        raise ValueError(msg)
    moment = _moment(as_of)
    if check:
        return convert.checked_lock(check_lock(opened(project), environment, as_of=moment))
    return convert.lock(run(opened(project), environment, upgrade=upgrade, as_of=moment))


def build(
    project: Project,
    environment: str | None = None,
    *,
    force: bool = False,
    revision: str | None = None,
) -> BuildResult:
    """Build, verify and tag the image of an environment's lock, as ``freeze build`` does.

    What is missing is fetched first; no build step has a network. An image that is there and
    verified is not built again, unless ``force``. ``revision`` (a commit) is written into the
    image's labels, and hence changes its ID.

    Raises ``LockError`` if there is no lock, ``FetchError``, ``EngineError`` or ``BuildError``, and
    ``VerificationError`` if the image's content differs from the lock.

    ```python
    built = freezer.build(project)
    print(built.image, *built.tags)
    ```
    """
    from freezer.flows.image.build import build as run

    return convert.build(run(opened(project), environment, force=force, revision=revision))


def check(
    project: Project,
    environment: str | None = None,
    *,
    record: bool = False,
    against: int | str | None = None,
) -> CheckResult:
    """Train in an environment's image and compare with its reference, as ``freeze check`` does.

    Without a reference for this host's numerics class the trainings run twice, and become the
    reference if both runs are identical to the bit; ``record`` does so even if there is one.
    ``against`` compares with the reference of an earlier generation instead (its number, or the
    first digits of its lock ID) and records nothing.

    A negative verdict is returned, not raised. Raises ``CheckError`` if the image is not built or a
    training cannot be run, ``HostError`` if the host's driver is too old, and ``EngineError``.

    ```python
    checked = freezer.check(project)
    print(checked.verdict, checked.reference)
    if not checked.good:
        for training in checked.trainings:
            print(training.name, training.verdict, training.first_difference)
        print(checked.causes)
    ```
    """
    from freezer.flows.check.check import check as run
    from freezer.flows.compare.check_against import check_against

    if against is None:
        return convert.check(run(opened(project), environment, record=record))
    if record:
        msg = "against=... records nothing"
        raise ValueError(msg)
    return convert.check(check_against(opened(project), environment, against))


def update(
    project: Project,
    environment: str | None = None,
    packages: Iterable[str] = (),
    *,
    reason: str | None = None,
    as_of: datetime | str | None = None,
    newer: str | None = None,
    strict: bool = False,
    dry_run: bool = False,
) -> UpdateResult:
    """Move packages in an environment's lock, and of all others only what that forces.

    Each of ``packages`` is ``NAME`` or ``NAME==VERSION``, ``base`` or ``python``; without any,
    everything moves. ``reason`` is kept in the history. ``as_of`` moves the cut-off (see `lock`);
    ``newer`` names one Python package that may be newer than it, which needs a ``reason``. With
    ``strict`` nothing is written if more would move than what is named; with ``dry_run`` nothing is
    written at all.

    Raises ``LockError`` if there is no lock or it lacks a package, ``SpecError`` for a version that
    the spec does not allow, and what `lock` raises.

    ```python
    planned = freezer.update(project, packages=["numpy"], dry_run=True)
    for move in planned.moves:
        print(move.ecosystem, move.name, move.before, "to", move.after, move.cause or "")
    if all(move.named for move in planned.moves):
        freezer.update(project, packages=["numpy"], reason="np.trapezoid")
    ```
    """
    from freezer.flows.update.update import UpdateRequest
    from freezer.flows.update.update import update as run

    if isinstance(packages, str):
        msg = f"packages must be a list of names, such as [{packages!r}]"
        raise TypeError(msg)
    if newer is not None and not (reason and reason.strip()):
        msg = "newer=... is recorded as an exception and needs a reason"
        raise ValueError(msg)
    request = UpdateRequest(
        packages=tuple(packages),
        reason=reason,
        as_of=_moment(as_of),
        newer=newer,
        strict=strict,
        dry_run=dry_run,
    )
    return convert.update(run(opened(project), environment, request))


def rollback(
    project: Project,
    environment: str | None = None,
    *,
    to: int | str | None = None,
    reason: str | None = None,
    dry_run: bool = False,
    force: bool = False,
) -> RollbackResult:
    """Make an earlier generation's lock current again, as ``freeze rollback`` does.

    ``to`` is a generation's number or the first digits of its lock ID; by default the last good one
    before the current. Its lock, its image and its numbers on this host are verified first. If they
    are not good nothing changes, unless ``force``, which is recorded as a deviation.

    A refusal is returned, not raised. Raises ``HistoryError`` if there is no such generation, it is
    current, or its files were edited, and what `build` and `check` raise.

    ```python
    back = freezer.rollback(project, reason="the results changed")
    if back.done:
        print("generation", back.generation, "is current, with the lock of", back.target)
    else:
        print(back.reason_refused)
    ```
    """
    from freezer.flows.rollback.rollback import rollback as run

    return convert.rollback(
        run(opened(project), environment, to=to, dry_run=dry_run, force=force, reason=reason)
    )


def _moment(value: datetime | str | None) -> str | None:
    """Return a cut-off as locks write it; ``SpecError`` or ``ValueError`` if it is none."""
    from freezer.model.spec.moment import parse_moment

    if isinstance(value, datetime):
        if value.utcoffset() is None:
            msg = f"as_of needs a time zone: {value!r}"
            raise ValueError(msg)
        value = value.isoformat(timespec="seconds")
    return value if value is None else parse_moment(value, "as_of")
