"""Entries of a history, made from what a flow knows: the only place that makes a generation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from freezer.ecosystems import INSTALLED
from freezer.flows.project.git import author, one_line
from freezer.model.generation import Action, Generation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.lock import Lock

_MOST_CHANGES: Final = 6
"""Changes that a summary names."""


def new_generation(  # noqa: PLR0913 - a generation has as many facts
    project: Project,
    past: History,
    lock_id: str,
    *,
    action: Action,
    files: Mapping[str, str],
    summary: str,
    reason: str | None = None,
    plan: str | None = None,
    image: str | None = None,
    deviation: bool = False,
) -> Generation:
    """Return a generation that follows the last entry of a history, made now by this user.

    ``files`` are the SHA-256 of the files stored with the lock, by name. Text is reduced to one
    printable line without credentials.
    """
    who = author(project.root)
    return Generation(
        number=past.next_number,
        parents=past.tips,
        date=now(),
        action=action,
        lock_id=lock_id,
        image=image,
        files=dict(files),
        reason=(one_line(reason) or None) if reason else None,
        who=who.who,
        commit=who.commit,
        plan=plan,
        summary=one_line(summary) or action,
        deviation=deviation,
    )


def summary_of(changed: Sequence[str], first: Lock | None = None) -> str:
    """Return in one line what changed: the first changes, and how many more there are.

    ``first`` is the lock where there was none before.
    """
    if first is not None:
        packages = sum(len(ecosystem.packages(first)) for ecosystem in INSTALLED)
        return f"first lock, {packages} package{'s' if packages != 1 else ''}"
    named = list(changed[:_MOST_CHANGES])
    if len(changed) > len(named):
        named.append(f"and {len(changed) - len(named)} more")
    return "; ".join(named) or "written anew"


def now() -> str:
    """Return the current time as the history records it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
