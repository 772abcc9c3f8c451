"""Interface of the conda solvers: request, resolution, errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from freezer.errors import ResolveError
from freezer.fetch.conda.channels import CondaChannel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.errors import Where
    from freezer.fetch.config import Config
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import CondaPackage

__all__ = [
    "CondaChannel",
    "CondaConflictError",
    "CondaRequest",
    "CondaRequirement",
    "CondaResolution",
    "CondaSolver",
    "Subdir",
]

Subdir = Literal["linux-64", "linux-aarch64"]


@dataclass(frozen=True)
class CondaRequirement:
    """One match spec with its location."""

    text: str
    """The match spec without the channel: ``numpy >=2``, ``libblas=*=*mkl``."""
    where: Where
    channel: str | None = None
    """Name of the one channel that the package may come from (``channel::package``)."""


@dataclass(frozen=True)
class CondaRequest:
    """All inputs of a solve; nothing of this host is among them."""

    channels: tuple[CondaChannel, ...]
    """Highest priority first; a name is taken from the first channel that has it."""
    specs: tuple[CondaRequirement, ...]
    subdir: Subdir
    virtual_packages: Mapping[str, str]
    """``{"__glibc": "2.36", "__linux": "5.10", "__cuda": "12.4"}``; ``__archspec`` names a CPU
    family, such as ``x86_64``."""
    as_of: str
    """UTC, ``YYYY-MM-DDTHH:MM:SSZ``: packages built later are not considered."""
    keep: Mapping[str, CondaPackage] = field(default_factory=dict)
    """Name to locked package, preferred wherever it still satisfies the specs."""
    constraints: tuple[str, ...] = ()
    """Match specs that constrain packages without requesting them."""


@dataclass(frozen=True)
class CondaResolution:
    """A solution: packages sorted by name, and warnings."""

    packages: tuple[CondaPackage, ...]
    warnings: tuple[str, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)
    """For an update, by name: why a package changed that the update does not name."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """For an update: the versions that the named packages reach when nothing else may change."""


class CondaConflictError(ResolveError):
    """Each spec can be satisfied, but not all of them together."""


class CondaSolver(Protocol):
    """Solves requests; its packages have reasons ``asked for in`` and ``needed by``."""

    def __call__(
        self, request: CondaRequest, *, config: Config, store: Store, report: Reporter
    ) -> CondaResolution:
        """Return one file for each package. Raises ``ResolveError`` with the conflict."""
