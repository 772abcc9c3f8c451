"""What a solver of conda packages is asked, and what it answers."""

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
    """One match spec, and where it was written."""

    text: str
    """Without the channel: ``numpy >=2``, ``libblas=*=*mkl``."""
    where: Where
    channel: str | None = None
    """Name of the one channel that the package may come from (``channel::package``)."""


@dataclass(frozen=True)
class CondaRequest:
    """Everything that a solver may look at; nothing of this host is."""

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
    """Name to package: kept wherever it still answers."""
    constraints: tuple[str, ...] = ()
    """Match specs that hold for packages which are there, without asking for them."""


@dataclass(frozen=True)
class CondaResolution:
    """An answer: packages sorted by name, and what the user should know about it."""

    packages: tuple[CondaPackage, ...]
    warnings: tuple[str, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)
    """Of an update, by name: why a package moved that the update does not name."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """Of an update: the versions that the named ones reach if nothing else moves."""


class CondaConflictError(ResolveError):
    """Channels have what each spec asks for, and no set of packages that answers them together."""


class CondaSolver(Protocol):
    """Answers requests; its packages carry the reasons ``asked for in`` and ``needed by``."""

    def __call__(
        self, request: CondaRequest, *, config: Config, store: Store, report: Reporter
    ) -> CondaResolution:
        """Return one file for each package. Raises ``ResolveError`` saying why there is none."""
