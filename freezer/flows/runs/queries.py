"""`freeze runs`: queries of a project's ledger, tags and notes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freezer.flows.runs.folders import (
    FOLDER,
    LEDGER,
    has_journals,
    journal_path,
    submitted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freezer.flows.project.project import Project
    from freezer.ledger.series import Points
    from freezer.model.record.run import Run


@dataclass(frozen=True)
class Found:
    """Runs that match a filter."""

    runs: tuple[Run, ...]
    total: int
    """All that match, including those beyond the limit."""
    ledger_empty: bool = False
    """Whether no run is recorded at all."""


def find(
    project: Project, text: str | None, *, order: str | None = None, limit: int | None = None
) -> Found:
    """Return the runs that match a filter, the latest first.

    Raises ``QueryError`` and ``LedgerError``.
    """
    if order is None and not (text or "").strip() and (found := _latest(project, limit)):
        return found
    from freezer.flows.runs.ledger import project_ledger
    from freezer.ledger import query

    with project_ledger(project, reading=True) as ledger:
        runs = query.find(ledger, text, order=order, limit=limit)
        total = len(runs) if limit is None or len(runs) < limit else query.count(ledger, text)
        empty = not total and not query.count(ledger)
    runs = [_so_far(project, run)[0] for run in runs]
    return Found(tuple(runs), total, empty)


def _latest(project: Project, limit: int | None) -> Found | None:
    """Return the latest runs without loading SQLAlchemy; None where it is needed."""
    folder = project.root / FOLDER
    if project.config.ledger is not None or has_journals(folder) or submitted(project.root):
        return None
    if not (folder / LEDGER).exists():
        return Found((), 0, ledger_empty=True)
    if not os.access(folder, os.W_OK):
        return None
    from freezer.ledger.latest import latest

    found = latest(folder / LEDGER, limit)
    return None if found is None else Found(tuple(found[0]), found[1], ledger_empty=not found[1])


def get(project: Project, name: str) -> tuple[Run, Mapping[str, Points]]:
    """Return a run by the first digits of its ID, or ``latest``, with its series."""
    from freezer.flows.runs.ledger import project_ledger
    from freezer.ledger import query

    with project_ledger(project, reading=True) as ledger:
        run = query.get(ledger, name)
        series = query.all_points(ledger, run.id)
    run, reported = _so_far(project, run)
    return run, {**series, **reported}


def _so_far(project: Project, run: Run) -> tuple[Run, Mapping[str, Points]]:
    """Return a running run with what it has reported so far, if its journal is on this host.

    What a run on a cluster printed is in the spool folder.
    """
    if run.state != "running":
        return run, {}
    if "slurm" in run.owner:
        from freezer.flows.runs.spool.compose import so_far

        return so_far(project, run)
    from freezer.ledger.journal import read_journal

    left = read_journal(journal_path(project, run.id))
    if left is None or left.run.state != "running":
        return run, {}
    last = {name: points.values[-1] for name, points in left.metrics.items() if len(points)}
    return replace(run, fields=left.run.fields).with_fields(last), left.metrics


def fields(project: Project) -> list[str]:
    """Return every name that a filter can use."""
    from freezer.flows.runs.ledger import project_ledger
    from freezer.ledger import query

    with project_ledger(project, reading=True) as ledger:
        return query.field_names(ledger)


def tag(project: Project, name: str, tags: Mapping[str, str | None]) -> tuple[Run, tuple[str, ...]]:
    """Set tags of a run; those that are None are removed.

    Return the run, and the names of the tags whose values were redacted, as they hold secrets.
    """
    from freezer.fetch.http.secret_words import redact_value

    safe = {one: value and redact_value(one, value) for one, value in tags.items()}

    def how(run: Run) -> Run:
        kept = {**run.tags, **safe}
        return replace(run, tags={one: value for one, value in kept.items() if value is not None})

    redacted = tuple(one for one in tags if tags[one] != safe[one])
    return _changed(project, name, how), redacted


def note(project: Project, name: str, text: str) -> tuple[Run, bool]:
    """Add a note to a run; return the run, and whether secrets in the note were redacted."""
    from freezer.fetch.http.secret_words import redact_text

    safe = redact_text(text)
    changed = _changed(project, name, lambda run: replace(run, notes=(*run.notes, safe)))
    return changed, safe != text


def _changed(project: Project, name: str, how: Callable[[Run], Run]) -> Run:
    from freezer.flows.runs.ledger import project_ledger
    from freezer.ledger.record import change

    identifier = get(project, name)[0].id  # nothing is created for a run that is not there
    with project_ledger(project) as ledger:
        return change(ledger, identifier, how)
