"""What a spec asks of pip, gathered and as a question; nothing here loads a resolver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from freezer.model.canonical import plain
from freezer.resolve.python.interface import Provided
from freezer.resolve.python.requirements.gather import gather
from freezer.resolve.python.requirements.known_target import KnownTarget
from freezer.resolve.python.resolve import pip_question, relevant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.project.environment import Environment
    from freezer.model.lock import CondaPackage, Target
    from freezer.resolve.conda.environment import CondaRequirements
    from freezer.resolve.python.requirements.gather import PipRequirements


def gather_python(
    environment: Environment, conda: Mapping[str, CondaRequirements]
) -> PipRequirements:
    """Return what the spec asks of pip, the pip part of its ``environment.yml`` included.

    Raises ``SpecError`` with its place.
    """
    spec = environment.spec
    own = conda.get(spec.platform)
    known = KnownTarget.of(spec.platform, spec.python)
    if own is None:
        return gather(environment.spec_folder, spec.pip, known=known)
    folder, locked = own.pip_folder, own.locked_pip
    return gather(environment.spec_folder, spec.pip, own.pip, folder, locked, known)


def python_question(
    environment: Environment,
    gathered: PipRequirements,
    target: Target,
    conda: Sequence[CondaPackage],
) -> list[Any]:
    """Return all that the answer depends on but the indexes' content; without secrets."""
    spec = environment.spec
    question: list[Any] = [pip_question(gathered, spec.pip, target)]
    if conda:
        held = relevant(gathered.requirements, provided_by(conda))
        question.append({name: [item.package, item.version] for name, item in held.items()})
    if spec.accelerator is not None and gathered.requirements:
        question.append(plain(spec.accelerator))
    if spec.blas is not None:
        question.append(spec.blas)
    return question


def provided_by(conda: Sequence[CondaPackage]) -> dict[str, Provided]:
    """Return the Python packages that conda packages bring, by normalised name."""
    if not conda:
        return {}
    from freezer.resolve.conda.names import provided_by_conda

    return {
        name: Provided(
            version=version or comparable(package.version).public,
            package=package.name,
            by=f"conda's {package.name} {package.version} {package.build} ({package.reason})",
        )
        for name, (package, version) in provided_by_conda(conda).items()
    }


def comparable(version: str) -> Version:
    """Return a version that Python's rules can compare; 0 for packages that count otherwise."""
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0")
