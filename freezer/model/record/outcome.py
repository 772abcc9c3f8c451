"""What became of one expectation (`expect` of a spec) in one training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule of one expectation, as a test that passed, failed or was skipped."""

    name: str
    """What the training reports: ``loss``."""
    rule: str
    """``finite``, ``range``, ``floor``, ``ceiling``, ``monotone``, ``shape`` or ``classes``."""
    state: State
    expected: str
    found: str
    training: str = ""
    """Of ``freeze check``: the training that reported it."""

    def __str__(self) -> str:
        """Render as one sentence."""
        return f"{self.name}: expected {self.expected}, found {self.found}"
