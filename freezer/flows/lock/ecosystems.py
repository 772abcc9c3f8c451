"""The ecosystems that a lock is resolved in, one after another: base, Debian, conda, pip.

Each answers one question, a plain document whose digest the lock keeps. While its question is
unchanged, an ecosystem's answer is kept and no index is asked: that is why locking again costs
nothing, and why a new requirement moves no Debian package.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from freezer.flows.lock.answers import NO_CONDA, Answers, CondaAnswer, Installed
from freezer.flows.lock.python_request import gather_python, python_question
from freezer.flows.lock.request import LockRequest
from freezer.flows.project.spec_errors import errors_at
from freezer.flows.project.user_files import steps_plan, user_files
from freezer.model.canonical import digest, json_bytes, plain
from freezer.model.cuda import checked, require_cudnn
from freezer.model.spec.faults import Faults
from freezer.resolve.python.requirements.gather import gather

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fetch.config import Config
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import (
        Base,
        CondaPackage,
        Lock,
        Target,
    )
    from freezer.resolve.conda.environment import CondaRequirements
    from freezer.resolve.python.requirements.gather import PipRequirements

FORMAT = 1
"""Raised when every question must be asked anew because the way of answering changed."""


def base_question(environment: Environment) -> str:
    """Return the digest of what the base is asked for."""
    spec = environment.spec
    base = spec.base if isinstance(spec.base, str) else plain(spec.base)
    return _digest("base", base, spec.platform)


def debian_question(environment: Environment, base: Base) -> str:
    """Return the digest of what the Debian ecosystem is asked for on a base."""
    spec = environment.spec
    below = (
        base.config
        if base.kind == "registry"
        else sorted(package.sha256 for package in base.packages)
    )
    # conda brings its own Python.
    python = None if spec.conda else spec.python
    blas = [] if spec.blas is None else [spec.blas]
    return _digest("debian", below, sorted(set(spec.system)), python, *blas)


def stale_ecosystems(environment: Environment, lock: Lock, as_of: str, config: Config) -> list[str]:
    """Return the ecosystems whose answers in a lock are to another question than the spec's."""
    lock_request = LockRequest(environment, as_of, lock)
    gathered = _gathered(environment, config)
    questions = {
        "base": base_question(environment),
        "debian": debian_question(environment, lock.base),
        "pip": _pip_question(environment, gathered, lock.target, lock.conda),
    }
    if gathered:
        questions["conda"] = _conda_question(environment, gathered, lock.target.glibc)
    stale = [
        ecosystem
        for ecosystem, question in questions.items()
        if not lock_request.keeps(ecosystem, question)
    ]
    return [*stale, *(["conda"] if lock.conda and not gathered else [])]


def resolve_ecosystems(project: Project, lock_request: LockRequest) -> Answers:
    """Return the answers of all ecosystems. Raises what their resolvers and the engine raise."""
    environment, old = lock_request.environment, lock_request.old
    _require_accelerator(environment)
    require_local(environment, project.config)
    asked = base_question(environment)
    base = _base(project, lock_request, kept=lock_request.keeps("base", asked))
    installed, debian_asked = _debian(project, lock_request, base)
    answers = {"base": asked, "debian": debian_asked}
    gathered = _gathered(environment, project.config)
    conda, target = NO_CONDA, None
    if gathered:
        answers["conda"] = _conda_question(environment, gathered, installed.glibc)
        conda = _conda(project, lock_request, gathered, installed, answers["conda"])
        target = _conda_target(environment, installed, conda)
    target = target or installed.target()
    answers["pip"] = _pip_question(environment, gathered, target, conda.packages)
    kept = old is not None and lock_request.keeps("pip", answers["pip"])
    if old is not None and kept and (installed.packages, conda.packages) == (old.debian, old.conda):
        return replace(Answers.of(old), answers=answers, base=base, target=target, conda=conda)
    from freezer.flows.lock.numeric_libraries import arithmetic
    from freezer.flows.lock.python import resolve_python

    asked_of_pip = gather_python(environment, gathered)
    pip = old.pip if old is not None and kept else None
    if pip is None:
        pip = resolve_python(project, lock_request, asked_of_pip, target, conda.packages)
    ecosystems = Answers(answers, base, target, installed.packages, pip, (), conda)
    overrides = tuple(sorted({item.name for item in asked_of_pip.overrides}))
    ecosystems = replace(ecosystems, overrides=overrides)
    return arithmetic(project, environment, ecosystems, asked_of_pip)


def require_local(environment: Environment, config: Config) -> None:
    """Report all that is wrong with the project's own files, before anything else is read.

    Raises ``SpecError`` for all at once.
    """
    spec, faults = environment.spec, Faults()
    conda: dict[str, CondaRequirements] = {}
    with faults.collect():
        conda = _gathered(environment, config)
    with faults.collect():
        if spec.conda is not None and not conda:
            from freezer.resolve.conda.environment import pip_part

            pip, folder = pip_part(environment.spec_folder, spec.conda, spec.python)
            gather(environment.spec_folder, spec.pip, pip, folder)
        else:
            gather_python(environment, conda)
    with faults.collect():
        user_files(environment, spec.smoke.files, "smoke.files")
    with faults.collect():
        steps_plan(environment)
    faults.require_none()


def _require_accelerator(environment: Environment) -> None:
    """Refuse a combination that never was before any ecosystem is asked."""
    accelerator = environment.spec.accelerator
    if accelerator is not None:
        with errors_at(environment, "accelerator", "cuda"):
            checked(accelerator.cuda)
        with errors_at(environment, "accelerator", "cudnn"):
            require_cudnn(accelerator.cudnn, accelerator.cuda)


def gathered_python(project: Project, environment: Environment) -> PipRequirements:
    """Return what the spec asks of pip. Raises ``SpecError`` with its place."""
    return gather_python(environment, _gathered(environment, project.config))


# The imports below are late on purpose: where every ecosystem is kept, neither resolvers nor
# clients are loaded, and locking again takes half the time.


def _gathered(environment: Environment, config: Config) -> dict[str, CondaRequirements]:
    if environment.spec.conda is None:
        return {}
    from freezer.flows.lock.conda import gathered_conda

    with errors_at(environment, "conda"):
        return gathered_conda(environment, config)


def _conda_question(
    environment: Environment, gathered: Mapping[str, CondaRequirements], glibc: str
) -> str:
    from freezer.flows.lock.conda import conda_question

    return _digest("conda", *conda_question(environment, gathered, glibc))


def _pip_question(
    environment: Environment,
    gathered: Mapping[str, CondaRequirements],
    target: Target,
    conda: tuple[CondaPackage, ...],
) -> str:
    asked = gather_python(environment, gathered)
    return _digest("pip", *python_question(environment, asked, target, conda))


def _conda(
    project: Project,
    lock_request: LockRequest,
    gathered: Mapping[str, CondaRequirements],
    installed: Installed,
    question: str,
) -> CondaAnswer:
    if lock_request.old is not None and lock_request.keeps("conda", question):
        return Answers.of(lock_request.old).conda
    from freezer.flows.lock.conda import resolve_conda

    return resolve_conda(project, lock_request, gathered, installed)


def _conda_target(environment: Environment, installed: Installed, conda: CondaAnswer) -> Target:
    from freezer.flows.lock.conda import conda_python

    return installed.target(conda_python(conda.packages, environment))


def _base(project: Project, lock_request: LockRequest, *, kept: bool) -> Base:
    if kept and lock_request.old is not None:
        return lock_request.old.base
    from freezer.flows.lock.base import resolve_base

    return resolve_base(project, lock_request)


def _debian(project: Project, lock_request: LockRequest, base: Base) -> tuple[Installed, str]:
    question = debian_question(lock_request.environment, base)
    if lock_request.old is not None and lock_request.keeps("debian", question):
        return Installed.locked(lock_request.old.debian, lock_request.old.target), question
    from freezer.flows.lock.debian import resolve_installed

    return resolve_installed(project, lock_request, base), question


def _digest(ecosystem: str, *question: Any) -> str:
    return f"sha256:{digest(json_bytes([FORMAT, ecosystem, *question]))}"
