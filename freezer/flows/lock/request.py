"""What a lock is asked for, and what of an old lock still answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.flows.project.environment import Environment
    from freezer.model.lock import Lock, Newer
    from freezer.resolve.minimal import Release


@dataclass(frozen=True)
class LockRequest:
    """What is asked, in which state of things."""

    environment: Environment
    as_of: str
    old: Lock | None
    """The lock to keep what still answers of; None to start afresh."""
    release: Mapping[str, Release] = field(default_factory=dict)
    """By ecosystem: what an update moves. Empty for a lock."""
    exceptions: Mapping[str, Newer] = field(default_factory=dict)
    """Python packages that may be newer than ``as_of``."""
    causes: dict[str, dict[str, str]] = field(default_factory=dict)
    """By ecosystem and name, filled by each: why a package moved that an update does not name."""
    alone: dict[str, str] = field(default_factory=dict)
    """Filled by the ecosystems where more moves than what is named: how far that goes by itself."""

    def released(self, ecosystem: str) -> Release | None:
        """Return what an update moves in an ecosystem, maybe nothing; None when it is no update."""
        from freezer.resolve.minimal import Release

        return self.release.get(ecosystem, Release()) if self.release else None

    def keeps(self, ecosystem: str, question: str) -> bool:
        """Say whether the old lock's answer of an ecosystem still stands."""
        if (
            self.old is None
            or self.old.answers.get(ecosystem) != question
            or ecosystem in self.release
        ):
            return False
        # Going back in time may leave behind what was new then; going forward does not.
        return self.old.as_of <= self.as_of
