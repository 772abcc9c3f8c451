"""What the ecosystems answered: what is installed on a base, by conda, and all of it together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freezer.model.lock import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.model.lock import (
        Accelerator,
        Base,
        Component,
        CondaPackage,
        DebianPackage,
        Lock,
        PipPackage,
        PythonTarget,
    )


@dataclass(frozen=True)
class Installed:
    """The Debian packages above the base, and what base and packages are together."""

    packages: tuple[DebianPackage, ...]
    architecture: str
    glibc: str
    distribution: str
    python: PythonTarget | None
    """None where the environment brings a Python of its own."""

    @classmethod
    def locked(cls, packages: tuple[DebianPackage, ...], target: Target) -> Installed:
        """Return what a lock holds."""
        return cls(packages, target.architecture, target.glibc, target.distribution, target.python)

    def target(self, python: PythonTarget | None = None) -> Target:
        """Return what packages are chosen for: this with its own Python, or with another one."""
        return Target.model_validate(
            {
                "architecture": self.architecture,
                "glibc": self.glibc,
                "distribution": self.distribution,
                "python": python or self.python,
            }
        )


@dataclass(frozen=True)
class CondaAnswer:
    """The conda packages of a lock; nothing of them in an environment without conda."""

    packages: tuple[CondaPackage, ...] = ()
    elsewhere: Mapping[str, tuple[CondaPackage, ...]] = field(default_factory=dict)
    """By platform."""
    virtual: Mapping[str, str] = field(default_factory=dict)
    """What was declared to the solver for the environment's own platform."""


NO_CONDA = CondaAnswer()


@dataclass(frozen=True)
class Answers:
    """The answers, and the digest of the question that each answers."""

    answers: dict[str, str]
    base: Base
    target: Target
    debian: tuple[DebianPackage, ...]
    pip: tuple[PipPackage, ...]
    components: tuple[Component, ...]
    conda: CondaAnswer = NO_CONDA
    accelerator: Accelerator | None = None
    overrides: tuple[str, ...] = ()
    """Normalised names of Python packages that the project overrides."""

    @classmethod
    def of(cls, lock: Lock) -> Answers:
        """Return the answers that a lock holds."""
        return cls(
            lock.answers,
            lock.base,
            lock.target,
            lock.debian,
            lock.pip,
            lock.components,
            CondaAnswer(lock.conda, lock.conda_elsewhere, lock.virtual_packages),
            lock.accelerator,
            lock.overrides,
        )
