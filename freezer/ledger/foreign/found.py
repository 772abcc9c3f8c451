"""A run that another tool recorded, and the limits on reading it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from freezer.fetch.http.secret_words import redact_value

if TYPE_CHECKING:
    from freezer.ledger.series import Points

LONGEST_NAME: Final = 250
"""Characters of a name: MLflow's own limit."""
LONGEST_TEXT: Final = 1 << 20
_LEFT_OUT: Final = ("mlflow.user", "mlflow.source.name", "mlflow.source.type")
"""Tags about the user and the script, which Freezer records itself or not at all."""


@dataclass
class ForeignRun:
    """One run of another tool, as text and series."""

    id: str
    name: str = ""
    experiment: str = ""
    status: str = "FINISHED"
    started: int | None = None
    """Microseconds since 1970."""
    ended: int | None = None
    parent: str = ""
    """ID of the run that this one is a part of."""
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Points] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Budget:
    """How much may still be read; what exceeds it or cannot be read is noted."""

    points: int = 10_000_000
    names: int = 10_000
    text: int = 16 << 20
    """Characters."""
    size: int = 2 << 30
    """Bytes."""
    notes: list[str] = field(default_factory=list)
    left_out: int = 0
    """Values that are left out."""

    def note(self, text: str) -> None:
        """Add a note; only the first hundred are kept."""
        if len(self.notes) < 100:
            self.notes.append(text)

    def takes(self, name: str, text: str = "") -> bool:
        """Return whether a value may be kept, and count it."""
        size = len(name) + len(text)
        fits = self.names > 0 and size <= self.text and len(text) <= LONGEST_TEXT
        if not (fits and 0 < len(name) <= LONGEST_NAME and name.isprintable()):
            self.left_out += 1
            return False
        self.names -= 1
        self.text -= size
        return True

    def takes_points(self, count: int = 1) -> bool:
        """Return whether this many points may be kept, and count them."""
        if count > self.points:
            self.left_out += count
            return False
        self.points -= count
        return True

    def takes_bytes(self, count: int) -> bool:
        """Return whether this many bytes may be read, and count them."""
        if count > self.size:
            return False
        self.size -= count
        return True

    def summary(self) -> list[str]:
        """Return the notes, and how much was left out."""
        more = f"{self.left_out} values are left out: too many, or names that cannot be used"
        return [*self.notes, *([more] if self.left_out else [])]


def keep_text(budget: Budget, kept: dict[str, str], name: str, text: str) -> None:
    """Keep a parameter or tag, without the secrets in it."""
    if name not in _LEFT_OUT and budget.takes(name, text):
        kept[name] = redact_value(name, text)
