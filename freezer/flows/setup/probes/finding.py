"""One row of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freezer.errors import FreezerError


class State(StrEnum):
    """How a finding bears on the work."""

    OK = "ok"
    WARNING = "warning"
    """Most of it works; the finding names what does not."""
    MISSING = "missing"
    """Without it nothing can be built."""


@dataclass(frozen=True)
class Finding:
    """Something that was looked at."""

    topic: str
    """A stable name, such as ``engine``."""
    state: State
    found: str
    hint: str | None = None
    """How to mend it; None when there is nothing to mend."""

    def to_json(self) -> dict[str, str | None]:
        """Return the finding as ``--json`` prints it."""
        return {
            "topic": self.topic,
            "state": self.state.value,
            "found": self.found,
            "next": self.hint,
        }


def ok(topic: str, found: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(topic, State.OK, found)


def warning(topic: str, found: str, hint: str) -> Finding:
    """Return a finding that some work will suffer from."""
    return Finding(topic, State.WARNING, found, hint)


def missing(topic: str, found: str, hint: str) -> Finding:
    """Return a finding without which nothing can be built."""
    return Finding(topic, State.MISSING, found, hint)


def failed(topic: str, error: FreezerError, *, unusable: bool = True) -> Finding:
    """Return an error as a finding; a mere warning when work is possible in spite of it."""
    parts = [error.what, *error.details, *([error.found] if error.found else [])]
    state = State.MISSING if unusable else State.WARNING
    return Finding(topic, state, "; ".join(parts), error.hint)


def gib(size: int) -> str:
    """Return a number of bytes as ``1.5 GiB``."""
    return f"{size / (1 << 30):.1f} GiB"
