"""``freeze lock``: resolves a spec to a lock, on top of the existing one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freezer.errors import StaleLockError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.flows.lock.ecosystems import (
    SpecRequirements,
    read_local_files,
    read_requirements,
    resolve_ecosystems,
    stale_ecosystems,
)
from freezer.flows.lock.image_settings import (
    image_environment,
    require_free_names,
    smoke_plan,
)
from freezer.flows.lock.interface import Answers, LockRequest
from freezer.flows.lock.pip import provided_by
from freezer.flows.lock.reasons import with_reasons
from freezer.flows.project.environment import (
    LOCKS,
    Environment,
    Locked,
    load_environment,
    read_lock,
)
from freezer.flows.project.image_runtime import runtime_fault, runtime_for
from freezer.flows.project.user_files import steps_plan
from freezer.history.changes import changes
from freezer.history.numbers import ChangedNumbers, numbers_between
from freezer.model.exports.requirements_txt import REQUIREMENTS_FILE, requirements_text
from freezer.model.lock import Lock, Newer
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class LockResult:
    """The result of ``freeze lock``."""

    locked: Locked
    changed: bool
    """False when the existing lock has the same bytes."""
    first: bool
    """Whether there was no lock before."""
    changes: tuple[str, ...]
    """A sentence for each package or setting that changed; empty for a first lock."""
    numbers: tuple[ChangedNumbers, ...] = ()
    """Operations that are measured to give other numbers with the new versions."""


def lock(
    project: Project,
    name: str | None,
    *,
    upgrade: bool = False,
    as_of: str | None = None,
    reason: str | None = None,
    plan: bytes | None = None,
) -> LockResult:
    """Resolve an environment's spec and write its lock.

    Versions of an existing lock that still satisfy the spec are kept, unless ``upgrade``. ``as_of``
    (``YYYY-MM-DDTHH:MM:SSZ``) overrides the spec's; ``reason`` and ``plan``, the file of a plan,
    are stored in the history if anything changed. Raises ``SpecError``, ``ResolveError``,
    ``FetchError`` and the errors of the engine; nothing is written then.
    """
    from freezer.flows.history.entries import summary_of
    from freezer.flows.history.generations import adopt, record_generation
    from freezer.flows.history.opened import open_history

    environment = load_environment(project.root, name)
    require_free_names(environment)
    requirements = read_local_files(environment, project.config)
    with open_history(project, environment.name) as opened:
        adopt(opened)  # the lock that is overwritten is kept in the history
        before = None if upgrade else read_lock(project.root, environment.name)
        moment = _moment(environment, as_of, before)
        previous = _previous(project, environment) if upgrade else before
        exceptions = still_newer(previous, moment)
        old = before.lock if before else None
        request = LockRequest(environment, moment, old, exceptions=exceptions)
        made = compose(project, request, resolve_ecosystems(project, request, requirements))
        numbers = numbers_between(previous.lock, made) if previous else ()
        for changed in numbers:
            project.report.note(f"Changes numbers: {changed}")
        result = replace(write(project, environment, requirements, made), numbers=numbers)
        summary = summary_of(result.changes, made if result.first else None)
        record_generation(
            opened, result.locked, action="lock", summary=summary, reason=reason, plan=plan
        )
        return result


def check_lock(project: Project, name: str | None, *, as_of: str | None = None) -> Locked:
    """Return the lock if it still satisfies the spec. Contacts no index and no engine.

    Raises ``StaleLockError`` with what ``freeze lock`` would resolve again.
    """
    environment = load_environment(project.root, name)
    require_free_names(environment)
    shown = f"{LOCKS}/{environment.name}/{LOCK_FILE}"
    locked = read_lock(project.root, environment.name)
    if locked is None:
        raise StaleLockError(
            f"{environment.name} has no lock",
            where=Where(shown),
            hint=f"run `freeze lock {environment.name}`",
        )
    stale = _stale(project, environment, locked, as_of)
    if stale:
        raise StaleLockError(
            "the lock no longer satisfies the spec",
            where=Where(shown),
            details=stale,
            hint=f"run `freeze lock {environment.name}`; it keeps every version that still "
            "satisfies the spec",
        )
    return locked


def _stale(
    project: Project, environment: Environment, locked: Locked, as_of: str | None
) -> list[str]:
    old, requirements = locked.lock, read_requirements(environment, project.config)
    request = _unchanged(environment, locked, _moment(environment, as_of, locked))
    stale = [resolver.stale for resolver in stale_ecosystems(request, requirements, old)]
    if stale:
        return stale
    fault = runtime_fault(project, old)
    stale = [*([fault] if fault else []), *_settings_changed(project, request, locked)]
    for name, data in exports(project, requirements, old, locked.id).items():
        export = locked.folder / name
        if not export.is_file() or export.read_bytes() != data:
            stale.append(f"{name} does not belong to the lock")
    return stale


def spec_changes(project: Project, locked: Locked) -> list[str]:
    """Return a sentence for each difference of the spec from its current lock.

    Includes the files that the spec names. Contacts no index and no engine. Raises ``SpecError``.
    """
    environment = load_environment(project.root, locked.lock.name)
    require_free_names(environment)
    requirements = read_requirements(environment, project.config)
    request = _unchanged(environment, locked, _moment(environment, None, locked))
    stale = [resolver.stale for resolver in stale_ecosystems(request, requirements, locked.lock)]
    return stale or _settings_changed(project, request, locked)


def _unchanged(environment: Environment, locked: Locked, moment: str) -> LockRequest:
    """Return the request of a lock, as far as its spec has not changed."""
    return LockRequest(environment, moment, locked.lock, exceptions=still_newer(locked, moment))


def _settings_changed(project: Project, request: LockRequest, locked: Locked) -> list[str]:
    """Return differences beyond the ecosystems' inputs: settings, files, reasons."""
    old = locked.lock
    expected = compose(project, request, Answers.locked(old))
    if runtime_fault(project, old) is None:  # a newer Freezer can build the lock unchanged
        expected = expected.model_copy(update={"inside": old.inside})
    return list(changes(old, expected))


def _moment(environment: Environment, as_of: str | None, before: Locked | None) -> str:
    """Return the cut-off: of the command, the spec, the old lock, or now."""
    if chosen := as_of or environment.spec.as_of:
        return chosen
    if before is not None:
        return before.lock.as_of
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def still_newer(locked: Locked | None, as_of: str) -> dict[str, Newer]:
    """Return the exceptions of a lock that are still newer than a cut-off."""
    found = locked.lock.exceptions.items() if locked else ()
    return {name: newer for name, newer in found if newer.as_of > as_of}


def exports(
    project: Project, requirements: SpecRequirements, lock: Lock, identifier: str
) -> dict[str, bytes]:
    """Return the exports that are stored next to a lock for other tools, by name."""
    files = {REQUIREMENTS_FILE: requirements_text(lock).encode()}
    if lock.conda:
        from freezer.flows.lock.exports import conda_exports

        files |= conda_exports(project, requirements.conda, lock, identifier)
    return files


def compose(project: Project, request: LockRequest, answers: Answers) -> Lock:
    """Compose the lock of the results of all ecosystems."""
    environment, resolved = request.environment, answers.resolved
    spec = environment.spec
    names = {item.name for item in resolved.pip.packages} | set(
        provided_by(resolved.conda.packages)
    )
    plan, files = smoke_plan(environment, names, project.report)
    steps, more = steps_plan(environment)
    for data in (*files.values(), *more.values()):
        project.store.put_bytes(data)
    inherited = resolved.base.environment if resolved.base.kind == "registry" else {}
    made = Lock(
        name=environment.name,
        answers=dict(answers.questions),
        as_of=request.as_of,
        platform=spec.platform,
        target=resolved.target,
        base=resolved.base,
        debian=resolved.debian,
        conda=resolved.conda.packages,
        conda_elsewhere=dict(resolved.conda.other_platforms),
        virtual_packages=dict(resolved.conda.virtual_packages),
        pip=resolved.pip.packages,
        exceptions={k: request.exceptions[k] for k in sorted(request.exceptions) if k in names},
        overrides=resolved.pip.overrides,
        steps=steps,
        accelerator=answers.accelerator,
        blas=spec.blas,
        components=answers.components,
        environment=image_environment(spec, inherited),
        labels=spec.labels,
        smoke=plan,
        inside=runtime_for(project, plan, request.old, keep=bool(request.release)),
    )
    return with_reasons(made, environment, project.report)


def write(
    project: Project, environment: Environment, requirements: SpecRequirements, made: Lock
) -> LockResult:
    """Write a lock and its exports; the caller holds the environment's exclusive lock.

    Raises ``PolicyError``, before anything is written.
    """
    from freezer.flows.history.lock_files import CONDA_EXPORTS

    folder: Path = environment.lock_folder
    old = _previous(project, environment)
    written = lock_bytes(made)
    identifier = lock_id(written)
    project.require_allowed("lock", made, identifier)
    # The lock is written last: when it exists, the others do as well.
    files = {**exports(project, requirements, made, identifier), LOCK_FILE: written}
    changed = False
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            path = folder / name
            if not path.is_file() or path.read_bytes() != data:
                write_atomically(path, data)
                changed = True
        for name in CONDA_EXPORTS - files.keys():  # left over from when the environment had conda
            (folder / name).unlink(missing_ok=True)
    locked = Locked(made, identifier, folder)
    sentences = tuple(changes(old.lock, made)) if old is not None else ()
    return LockResult(locked, changed, old is None, sentences)


def _previous(project: Project, environment: Environment) -> Locked | None:
    from freezer.errors import LockError

    try:
        return read_lock(project.root, environment.name)
    except LockError:
        return None  # `--upgrade` replaces a lock that cannot be read
