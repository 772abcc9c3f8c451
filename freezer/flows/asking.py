"""What a lock is asked for, and what of an old lock still answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freezer.flows.spec import Environment
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Asking:
    """What is asked, in which state of things."""

    environment: Environment
    as_of: str
    old: Lock | None
    """The lock to keep what still answers of; None to start afresh."""

    def keeps(self, world: str, question: str) -> bool:
        """Say whether the old lock's answer of a world still stands."""
        if self.old is None or self.old.answers.get(world) != question:
            return False
        # Going back in time may leave behind what was new then; going forward does not.
        return self.old.as_of <= self.as_of
