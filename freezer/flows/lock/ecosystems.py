"""Resolves the ecosystems of a lock in order: base, Debian, conda, pip.

The inputs of each (its question) are a plain document whose digest is in the lock. While the inputs
are unchanged, the ecosystem's packages are kept and no index is contacted: locking again costs
nothing, and a new requirement changes no Debian package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freezer.ecosystems import BY_NAME
from freezer.fetch.python.pages import IndexPages
from freezer.flows.lock.base import BaseResolver
from freezer.flows.lock.conda import CondaResolver, read_conda
from freezer.flows.lock.debian import DebianResolver
from freezer.flows.lock.interface import Answers, Below
from freezer.flows.lock.pip import PipPackagesResolver, read_pip
from freezer.flows.project.spec_errors import errors_at
from freezer.flows.project.user_files import steps_plan, user_files
from freezer.model.canonical import digest, json_bytes
from freezer.model.cuda import checked, require_cudnn
from freezer.model.spec.faults import Faults
from freezer.model.spec.spec import AUTO
from freezer.resolve.python.requirements.gather import PipRequirements, gather

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.fetch.config import Config
    from freezer.flows.lock.interface import EcosystemResolver, LockRequest, Resolved
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import Accelerator, Component, Lock
    from freezer.resolve.conda.environment import CondaRequirements

FORMAT = 1
"""Format number; increment to resolve everything again after a change of a resolver."""


@dataclass(frozen=True)
class SpecRequirements:
    """All requirements of a spec and its files, read once for a command."""

    conda: Mapping[str, CondaRequirements] = field(default_factory=dict)
    """Conda requirements by platform, the environment's own first; empty without conda."""
    pip: PipRequirements = field(default_factory=PipRequirements)
    """Pip requirements, with those of an ``environment.yml``."""
    pages: IndexPages = field(default_factory=IndexPages, compare=False, repr=False)
    """The pages of Python package indexes that the command has read."""

    def resolvers(self) -> tuple[EcosystemResolver, ...]:
        """Return the resolvers of all ecosystems, in order: each depends on those before it."""
        return (
            BaseResolver(),
            DebianResolver(),
            CondaResolver(self.conda),
            PipPackagesResolver(self.pip, self.pages),
        )


def read_requirements(environment: Environment, config: Config) -> SpecRequirements:
    """Read a spec's requirements of each ecosystem.

    Raises ``SpecError`` with all errors at once, each with its location.
    """
    faults = Faults()
    found = _collect(environment, config, faults)
    faults.require_none()
    return found


def read_local_files(environment: Environment, config: Config) -> SpecRequirements:
    """Read a spec's requirements, and check every other file that it names.

    All errors in the project's own files are reported at once, before anything is fetched. Raises
    ``SpecError``.
    """
    faults = Faults()
    found = _collect(environment, config, faults)
    with faults.collect():
        user_files(environment, environment.spec.smoke.files, "smoke.files")
    with faults.collect():
        steps_plan(environment)
    faults.require_none()
    return found


def _collect(environment: Environment, config: Config, faults: Faults) -> SpecRequirements:
    spec = environment.spec
    conda: Mapping[str, CondaRequirements] = {}
    pip = PipRequirements()
    with faults.collect():
        conda = read_conda(environment, config)
    with faults.collect():
        if spec.conda is not None and not conda:
            # The conda half cannot be read: report the errors of the pip half as well.
            from freezer.resolve.conda.environment import pip_part

            lines, folder = pip_part(environment.spec_folder, spec.conda, spec.python)
            gather(environment.spec_folder, spec.pip, lines, folder)
        else:
            pip = read_pip(environment, conda)
    return SpecRequirements(conda, pip)


def question_digest(resolver: EcosystemResolver, request: LockRequest, below: Below) -> str | None:
    """Return the digest of an ecosystem's inputs; None when it has no requirements."""
    question = resolver.question(request, below)
    if question is None:
        return None
    return f"sha256:{digest(json_bytes([FORMAT, resolver.name, *question]))}"


def stale_ecosystems(
    request: LockRequest, requirements: SpecRequirements, lock: Lock
) -> Iterator[EcosystemResolver]:
    """Yield the ecosystems whose packages in a lock were resolved from other inputs."""
    below = Below()
    for resolver in requirements.resolvers():
        question = question_digest(resolver, request, below)
        if question is None:
            if BY_NAME[resolver.name].packages(lock):
                yield resolver
        elif request.kept(resolver.name, question) is None:
            yield resolver
        below = below.with_answer(resolver.name, resolver.locked(lock))


def resolve_ecosystems(
    project: Project, request: LockRequest, requirements: SpecRequirements
) -> Answers:
    """Resolve all ecosystems. Raises the errors of their resolvers and of the engine."""
    _require_accelerator(request.environment)
    below, questions, kept = Below(), dict[str, str](), set[str]()
    for resolver in requirements.resolvers():
        question = question_digest(resolver, request, below)
        if question is None:
            continue
        questions[resolver.name] = question
        old = request.kept(resolver.name, question)
        if old is not None:
            kept.add(resolver.name)
            answer = resolver.locked(old)
        else:
            answer = resolver.resolve(project, request, below)
        below = below.with_answer(resolver.name, answer)
    if AUTO in request.environment.spec.system and not {"debian", "pip"} <= kept:
        below = _with_libraries(project, request, below, requirements)
        # Added packages may include a newer glibc, which is an input of later ecosystems.
        again = {one.name: question_digest(one, request, below) for one in requirements.resolvers()}
        questions = {name: found for name, found in again.items() if found is not None}
    resolved = below.resolved()
    components, accelerator = _numeric_libraries(
        project, request, resolved, requirements.pip, pip_kept="pip" in kept
    )
    return Answers(
        questions=questions,
        resolved=resolved,
        components=components,
        accelerator=accelerator,
        causes={name: one.causes for name, one in below.answers.items()},
        alone={name: to for one in below.answers.values() for name, to in one.alone.items()},
    )


def _with_libraries(
    project: Project, request: LockRequest, below: Below, requirements: SpecRequirements
) -> Below:
    from freezer.flows.lock.automatic import with_libraries

    return below.with_answer(
        "debian", with_libraries(project, request, below, requirements.pip.options)
    )


def _numeric_libraries(
    project: Project,
    request: LockRequest,
    resolved: Resolved,
    requirements: PipRequirements,
    *,
    pip_kept: bool,
) -> tuple[tuple[Component, ...], Accelerator | None]:
    """Return components and accelerator; the old lock's when no package changed."""
    old = request.old
    packages = (resolved.debian, resolved.conda.packages)
    if old is not None and pip_kept and packages == (old.debian, old.conda):
        return old.components, old.accelerator
    from freezer.flows.lock.numeric_libraries import numeric_libraries

    return numeric_libraries(project, request.environment, resolved, requirements)


def _require_accelerator(environment: Environment) -> None:
    """Raise an error for a combination that was never released, before resolving."""
    accelerator = environment.spec.accelerator
    if accelerator is not None:
        with errors_at(environment, "accelerator", "cuda"):
            checked(accelerator.cuda)
        with errors_at(environment, "accelerator", "cudnn"):
            require_cudnn(accelerator.cudnn, accelerator.cuda)
