"""`freeze runs page`: the runs of one page, and everything that it says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from freezer.fetch.http.secret_words import (
    REDACTED,
    is_secret_name,
    redact_text,
    redact_words,
)
from freezer.flows.runs.page.about import Environment, Files, data_files, environments
from freezer.flows.runs.page.curves import Curve, curve, share
from freezer.flows.runs.place import project_ledger
from freezer.ledger import query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.project.project import Project
    from freezer.history.suspects import Suspect
    from freezer.ledger.connect import Ledger
    from freezer.model.record.run import Run, Value

MOST: Final = 10_000
"""Runs on a page, unless it is asked for more."""
POINTS: Final = 600_000
"""Points of all curves of a page together: 8 bytes each."""


@dataclass(frozen=True)
class RunsPage:
    """Runs, and everything that a page says of them."""

    query: str | None
    runs: tuple[Run, ...]
    """The latest first; without secrets."""
    total: int
    """Runs that the query describes, on the page or not."""
    curves: Mapping[str, Mapping[str, Curve]]
    """By run ID and metric."""
    files: Mapping[str, Files]
    """By the digest of a data set's list of files."""
    environments: Mapping[str, Environment]
    """By lock ID."""
    suspects: Mapping[tuple[str, str], tuple[Suspect, ...]]
    """What may move results between two locks, in this order."""


def gather(project: Project, text: str | None, *, limit: int = MOST) -> RunsPage:
    """Return what a page of the runs that a filter describes holds.

    The same ledger and filter give the same page. Raises ``QueryError`` and ``LedgerError``.
    """
    with project_ledger(project, reading=True) as ledger:
        runs = query.find(ledger, text, limit=limit)
        total = len(runs) if len(runs) < limit else query.count(ledger, text)
        files = data_files(ledger, runs)
        curves = _curves(ledger, runs)
    described, suspects = environments(project, runs)
    return RunsPage(
        query=text.strip() if text and text.strip() else None,
        runs=tuple(_fit_for_others(run) for run in runs),
        total=total,
        curves=curves,
        files=files,
        environments=described,
        suspects=suspects,
    )


def _curves(ledger: Ledger, runs: Sequence[Run]) -> dict[str, dict[str, Curve]]:
    names = [run.id for run in runs]
    most = share([*query.series_lengths(ledger, names)], POINTS)
    found: dict[str, dict[str, Curve]] = {}
    for identifier, name, points in query.each_series(ledger, names):
        found.setdefault(identifier, {})[name] = curve(points, most)
    return found


def _fit_for_others(run: Run) -> Run:
    """Return a run without secrets: tags and notes are the user's own words, and may hold some."""
    return replace(
        run,
        command=redact_words(run.command)[0],
        fields=_redacted(run.fields),
        tags={name: str(value) for name, value in _redacted(run.tags).items()},
        notes=tuple(redact_text(note) for note in run.notes),
        tail=redact_text(run.tail),
    )


def _redacted(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values by name; what is named like a secret is none any more."""
    return {
        name: REDACTED
        if is_secret_name(name) and isinstance(value, str | int | float) and value != ""
        else redact_text(value)
        if isinstance(value, str)
        else value
        for name, value in values.items()
    }
