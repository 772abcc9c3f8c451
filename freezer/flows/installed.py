"""What is installed on a base, and by conda."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freezer.model.lock import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.model.lock import CondaPackage, DebianPackage, PythonTarget


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
