"""What the functions of the Python API return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freezer.flows.update.limits import Limit
from freezer.flows.update.moves import Move

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "BuildResult",
    "CheckResult",
    "Limit",
    "LockResult",
    "Move",
    "Package",
    "RollbackResult",
    "TrainingResult",
    "UpdateResult",
]


@dataclass(frozen=True, kw_only=True)
class _Result:
    """What all results have."""

    environment: str
    """The environment's name."""
    lock_id: str
    """The SHA-256 of the lock that the result is about, in hex."""
    _document: Callable[[], dict[str, Any]] = field(repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return the document that the command prints with ``--json``."""
        from freezer.output.text import as_json

        document: dict[str, Any] = as_json(self._document())
        return document


@dataclass(frozen=True)
class Package:
    """A package of a lock."""

    ecosystem: str
    """``base``, ``debian``, ``conda`` or ``pip``."""
    name: str
    version: str
    file: str | None
    """The file's name or path within its source; None for a package of a base image in a registry,
    which is pinned by the image's digest."""
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class LockResult(_Result):
    """What `lock` did."""

    path: Path
    """The lock's file."""
    as_of: str
    """The cut-off: nothing newer was considered (UTC, ``YYYY-MM-DDTHH:MM:SSZ``)."""
    changed: bool
    """Whether any file was written."""
    first: bool
    """Whether there was no lock before."""
    changes: tuple[str, ...]
    """A sentence for each difference from the lock before; empty for a first lock."""
    packages: tuple[Package, ...]
    """Every package of the lock, by ecosystem and name."""


@dataclass(frozen=True, kw_only=True)
class BuildResult(_Result):
    """The image that `build` made or found; verified either way."""

    image: str
    """The image's ID, ``sha256:…``: a function of the lock alone."""
    tags: tuple[str, ...]
    built: bool
    """False if the engine had the image already."""
    size: int
    """Bytes, as the engine counts."""
    seconds: float


@dataclass(frozen=True)
class TrainingResult:
    """One training of a check."""

    name: str
    verdict: str
    """A word as in `CheckResult`."""
    observations: int
    """How many numbers, tensors and settings were compared."""
    first_difference: str | None
    """Where the two records first differ, such as ``loss at step 3``."""
    reason: str | None
    """Why it failed or cannot be compared."""


@dataclass(frozen=True, kw_only=True)
class CheckResult(_Result):
    """The verdict of `check`."""

    image: str
    """The ID of the image that it trained in."""
    verdict: str
    """``identical`` (to the bit), ``equivalent`` (within a stated tolerance, with a cause that
    explains it), ``drifted``, ``failed`` or ``not comparable``: the worst of the trainings."""
    good: bool
    """Whether the verdict is ``identical`` or ``equivalent``."""
    recorded: bool
    """Whether this run became the reference: there was none, and two runs were identical."""
    reference: str
    """The reference's path, relative to the project."""
    numerics_class: str
    """The family of CPU kernels or the GPU that the numbers belong to."""
    trainings: tuple[TrainingResult, ...]
    causes: tuple[str, ...]
    """What else differs between the two runs, the likeliest cause first."""


@dataclass(frozen=True, kw_only=True)
class UpdateResult(_Result):
    """What `update` did, or would do.

    ``lock_id`` is the lock that is current now.
    """

    previous_lock_id: str
    written: bool
    """False for a dry run, for a refusal, and if nothing could move."""
    refused: bool
    """True if ``strict`` and more would have moved than what was named."""
    generation: int | None
    """The number of the new generation; None if none was made."""
    moves: tuple[Move, ...]
    limits: tuple[Limit, ...]
    """For each named package, what keeps it from being newer."""


@dataclass(frozen=True, kw_only=True)
class RollbackResult(_Result):
    """What `rollback` did, or would do.

    ``lock_id`` is the lock of the target.
    """

    done: bool
    """Whether the target's lock is current now."""
    before: int
    """The generation that was current."""
    target: int
    """The generation whose lock was chosen."""
    generation: int | None
    """The number of the new generation; None if nothing changed."""
    image: str | None
    """The ID of the target's image, where it is known."""
    verdict: str | None
    """The check's verdict, as in `CheckResult`; None for a dry run."""
    reason_refused: str | None
    """Why the target is not verified as good; None if it is."""
    deviation: bool
    """Whether it was made current by ``force`` despite that."""
    changes: tuple[str, ...]
    """A sentence for each difference from the current lock to the target's."""
    satisfies_spec: bool | None
    """Whether the lock satisfies the current spec; None if unknown."""
