"""``freeze update``: what is named moves, and only what that forces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from freezer.errors import LockError, SpecError, Where
from freezer.flows.history.entries import summary_of
from freezer.flows.history.generations import adopt, record_generation
from freezer.flows.history.opened import open_history
from freezer.flows.lock.ecosystems import (
    SpecRequirements,
    read_local_files,
    resolve_ecosystems,
)
from freezer.flows.lock.image_settings import require_free_names
from freezer.flows.lock.interface import LockRequest
from freezer.flows.lock.lock import compose, still_newer, write
from freezer.flows.project.environment import (
    LOCKS,
    Environment,
    Locked,
    load_environment,
    place,
    read_lock,
)
from freezer.flows.update.limits import Limit, limits
from freezer.flows.update.moves import Move, moves
from freezer.flows.update.targets import Named, parse_named, released, require_in_range
from freezer.history.numbers import ChangedNumbers, numbers_between
from freezer.model.lock import Newer
from freezer.model.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.history.opened import OpenHistory
    from freezer.flows.project.project import Project
    from freezer.model.generation import Generation
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class UpdateRequest:
    """What an update is to do."""

    packages: tuple[str, ...] = ()
    """``NAME`` or ``NAME==VERSION``, ``base``, ``python``; none: everything."""
    reason: str | None = None
    as_of: str | None = None
    """A cut-off that goes before the spec's (UTC, ``YYYY-MM-DDTHH:MM:SSZ``)."""
    newer: str | None = None
    """A Python package, as in ``packages``, that may be newer than the cut-off."""
    strict: bool = False
    """Refuse when more would move than what is named."""
    dry_run: bool = False
    plan: bytes | None = None
    """The file of a plan to keep with the generation."""


@dataclass(frozen=True)
class UpdateResult:
    """What an update did, or would do."""

    before: Locked
    lock: Lock
    """The lock that is current now; for a dry run or a refusal the one that would be."""
    moves: tuple[Move, ...]
    limits: tuple[Limit, ...]
    """Of the named packages: what keeps each from going further."""
    alone: Mapping[str, str]
    """Where more moves than what is named: how far that goes by itself, where that is known."""
    numbers: tuple[ChangedNumbers, ...] = ()
    """Operations that are measured to give other numbers with the new versions."""
    written: Locked | None = None
    """None where nothing was written."""
    refused: bool = False
    """True when ``strict`` prevented it."""
    generation: Generation | None = None


def update(project: Project, name: str | None, wanted: UpdateRequest) -> UpdateResult:
    """Move packages of an environment's lock, each in its ecosystem, and keep the rest.

    Without names all of them move. Whatever moves without being named is reported with its cause
    before anything is written. Raises ``LockError`` without a lock or for a name that it lacks,
    ``SpecError`` for a version that the spec does not allow, and what resolving raises; nothing is
    written then, nor when nothing that is named can move.
    """
    environment = load_environment(project.root, name)
    require_free_names(environment)
    named = parse_named([*wanted.packages, *([wanted.newer] if wanted.newer else [])])
    with open_history(project, environment.name) as opened:
        if not wanted.dry_run:
            adopt(opened)  # what is written over stays in the history
        before = _locked(project, environment)
        requirements = read_local_files(environment, project.config)
        request = _lock_request(project, environment, before, named, wanted)
        if request.old is not None:
            require_in_range(named, requirements.pip, before.lock.target)
        answers = resolve_ecosystems(project, request, requirements)
        made = compose(project, request, answers)
        found = moves(before.lock, made, request, answers)
        limited = limits(project, request, requirements, made, named)
        numbers = numbers_between(before.lock, made)
        result = UpdateResult(before, made, found, limited, answers.alone, numbers)
        forced = [item for item in found if not item.named]
        for item in forced:
            project.report.note(f"Also moves: {item}")
        for changed in numbers:
            project.report.note(f"Changes numbers: {changed}")
        if wanted.strict and forced:
            return replace(result, refused=True)
        if wanted.dry_run or (named and not found):
            return result
        return _write(opened, environment, requirements, result, wanted)


def _locked(project: Project, environment: Environment) -> Locked:
    found = read_lock(project.root, environment.name)
    if found is None:
        raise LockError(
            f"{environment.name} has no lock yet",
            where=Where(f"{LOCKS}/{environment.name}/{LOCK_FILE}"),
            hint=f"run `freeze lock {environment.name}`",
        )
    return found


def _lock_request(
    project: Project,
    environment: Environment,
    before: Locked,
    named: Sequence[Named],
    wanted: UpdateRequest,
) -> LockRequest:
    old, now = before.lock, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    moment = wanted.as_of or environment.spec.as_of or (old.as_of if wanted.newer else now)
    if wanted.as_of and environment.spec.as_of and wanted.as_of != environment.spec.as_of:
        project.report.note(
            f"{place(environment, 'as-of')}: the spec says {environment.spec.as_of}; for this "
            f"update {wanted.as_of} goes before it, and the next `freeze lock` goes by the spec"
        )
    exceptions = still_newer(before, moment)
    if not named:
        return LockRequest(environment, moment, None, exceptions=exceptions)
    release = released(old, named)
    if wanted.newer:
        package = canonicalize_name(parse_named([wanted.newer])[0].name)
        if package not in {item.name for item in old.pip}:
            raise SpecError(
                f"{package} is no Python package of the lock",
                expected="one that pip installs: only those can be newer than the rest",
                hint="move the cut-off of all with --as-of",
            )
        exceptions[package] = Newer(as_of=now, reason=" ".join((wanted.reason or "").split()))
    return LockRequest(environment, moment, old, release, exceptions)


def _write(
    opened: OpenHistory,
    environment: Environment,
    requirements: SpecRequirements,
    result: UpdateResult,
    wanted: UpdateRequest,
) -> UpdateResult:
    done = write(opened.project, environment, requirements, result.lock)
    generation = record_generation(
        opened,
        done.locked,
        action="update",
        reason=wanted.reason,
        plan=wanted.plan,
        summary=summary_of([*map(str, result.moves)] or done.changes),
    )
    return replace(result, written=done.locked if done.changed else None, generation=generation)
