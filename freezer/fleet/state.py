"""The states of a host in a fleet, and why a host was not checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from freezer.model.record.word import GOOD, Word


class Cause(StrEnum):
    """Why a host has no verdict."""

    WAITING = "waiting"
    """Its job is pending or runs."""
    DOWN = "down"
    DRAINED = "drained"
    NO_RUNTIME = "no runtime"
    """No container runtime of the host can be used, or it could not start the container."""
    NO_IMAGE = "no image"
    """The image could not be loaded, pulled or kept there."""
    DEADLINE = "deadline"
    """The job did not start, or did not end, in time."""
    CANCELLED = "cancelled"
    LOST = "lost"
    """The job ended without a result that can be trusted: a dead node, a preempted job, a result
    file that is missing or damaged."""
    REFUSED = "refused"
    """The scheduler did not take the job."""


@dataclass(frozen=True)
class State:
    """A host's state for one environment: a verdict, or why there is none."""

    word: Word | None
    """None: not checked."""
    cause: Cause | None = None
    """Set when the host was not checked."""
    reason: str = ""

    @property
    def good(self) -> bool:
        """Whether the environment gives its expected results there."""
        return self.word in GOOD

    @property
    def waiting(self) -> bool:
        """Whether a verdict may still come without anything being done."""
        return self.cause is Cause.WAITING

    @property
    def title(self) -> str:
        """The state in a few words, such as ``not checked (down)``."""
        if self.word is not None:
            return self.word.value
        return "waiting" if self.waiting else f"not checked ({self.cause})"


def not_checked(cause: Cause, reason: str) -> State:
    """Return the state of a host that has no verdict."""
    return State(None, cause, reason)
