"""Which versions of an archived environment may go, and why the others stay. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True)
class Retention:
    """How much is kept whatever needs it: a version that either rule keeps, stays."""

    last: int | None = None
    """The newest versions, at least 1."""
    days: int | None = None
    """Versions that were archived within so many days."""


@dataclass(frozen=True)
class VersionFacts:
    """What decides whether a version stays."""

    number: int
    created: datetime | None
    """None where the inventory does not say: such a version counts as new."""
    lock_id: str | None
    runs: Mapping[str, str | None]
    """ID of each run that it holds to the ID of the run's lock."""


@dataclass(frozen=True)
class Decision:
    """Whether a version stays."""

    number: int
    lock_id: str | None
    reason: str | None
    """Why it stays; None: it may go."""


def decide(
    versions: Sequence[VersionFacts], rule: Retention, now: datetime, needed: Mapping[str, str]
) -> tuple[Decision, ...]:
    """Return a decision for each version, oldest first.

    ``needed`` are IDs of locks that are in force, each with the reason. The newest version always
    stays; so does whatever a needed lock, or a run in a version that stays, cannot do without.
    """
    reasons: dict[int, str] = {}
    for position, one in enumerate(reversed(versions)):
        reason = _by_rule(one, position, rule, now)
        if reason is not None:
            reasons[one.number] = reason
    for lock_id, why in needed.items():
        _keep_lock(versions, reasons, lock_id, why)
    while _keep_for_runs(versions, reasons):
        pass
    return tuple(Decision(one.number, one.lock_id, reasons.get(one.number)) for one in versions)


def _by_rule(one: VersionFacts, position: int, rule: Retention, now: datetime) -> str | None:
    if position == 0:
        return "the newest"
    if rule.last is not None and position < rule.last:
        return f"one of the last {rule.last}"
    if one.created is None:
        return "archived at an unknown time"
    if rule.days is not None and one.created >= now - timedelta(days=rule.days):
        return f"archived within {rule.days} days"
    return None


def _keep_lock(
    versions: Sequence[VersionFacts], reasons: dict[int, str], lock_id: str, why: str
) -> bool:
    """Keep the newest version with a lock, unless one with it stays already."""
    having = [one.number for one in versions if one.lock_id == lock_id]
    if not having or any(number in reasons for number in having):
        return False
    reasons[having[-1]] = why
    return True


def _keep_for_runs(versions: Sequence[VersionFacts], reasons: dict[int, str]) -> bool:
    """Keep a further version that a run needs; return whether there was one."""
    staying = [one for one in versions if one.number in reasons]
    for one in staying:
        for run, lock_id in one.runs.items():
            why = f"run {run} was made with its lock"
            if lock_id is not None and _keep_lock(versions, reasons, lock_id, why):
                return True
    known = {run for one in staying for run in one.runs}
    for one in reversed(versions):
        lost = sorted(set(one.runs) - known)
        if lost:
            reasons[one.number] = f"no later version has run {lost[0]}"
            return True
    return False
