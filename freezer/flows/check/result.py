"""The result of a check, for every command that makes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from freezer.model.record.verdict import Basis

if TYPE_CHECKING:
    from freezer.check.assess import Assessment
    from freezer.flows.project.environment import Locked
    from freezer.model.record.outcome import Outcome
    from freezer.model.record.record import Record
    from freezer.model.record.verdict import Verdict


class Recording(Enum):
    """When a check keeps its record as the reference of the lock and the numerics class."""

    NEVER = auto()
    WHEN_MISSING = auto()
    """Where there is no reference yet, and two runs were identical."""
    ANEW = auto()
    """Even where there is one, which is not looked at; two runs must be identical."""


def this_moment() -> str:
    """Return the time of day in UTC, to the second, as histories and reports have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The result of a check of a lock."""

    locked: Locked
    image: str
    """The image's ID."""
    assessment: Assessment
    reference: str
    """Path of the reference, relative to the project."""
    recorded: bool = False
    """Whether the record was kept as that reference."""
    outcomes: tuple[Outcome, ...] = ()
    """The spec's expectations, each with its result; the verdict includes those that failed."""
    measured: tuple[str, ...] = ()
    """Of a training that does not repeat: measured effects of its packages that fit."""
    date: str = field(default_factory=this_moment)
    """When the check ended."""

    @property
    def record(self) -> Record:
        """The record that counts."""
        return self.assessment.record

    @property
    def verdict(self) -> Verdict:
        """The verdict on it."""
        return self.assessment.verdict

    @property
    def unmet(self) -> str | None:
        """The first expectation that failed, as a sentence; None where none did."""
        failed = [one for one in self.outcomes if one.state == "failed"]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return f"{failed[0]}{more}" if failed else None

    @property
    def by_two_runs(self) -> bool:
        """Whether there was no reference, so that nothing of the past was compared."""
        return self.assessment.basis is Basis.TWO_RUNS
