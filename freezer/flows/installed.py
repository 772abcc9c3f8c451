"""What is installed on a base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freezer.model.lock import DebianPackage, Target


@dataclass(frozen=True)
class Installed:
    """The Debian packages above the base, and what base and packages are as a target."""

    packages: tuple[DebianPackage, ...]
    target: Target
