"""`freeze runs page`: gathers the runs of a page and everything shown about them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Final

from freezer.fetch.http.secret_words import (
    REDACTED,
    is_secret_name,
    redact_text,
    redact_words,
)
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.page.code import commits_of, patches_of
from freezer.flows.runs.page.curves import Curve, curve, share
from freezer.flows.runs.page.details import Environment, Files, data_files, environments
from freezer.ledger import query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.project.project import Project
    from freezer.history.suspects import Suspect
    from freezer.ledger.connect import Ledger
    from freezer.model.record.run import Run, Value

MOST: Final = 10_000
"""Default maximum number of runs on a page."""
POINTS: Final = 600_000
"""Points of all curves of a page together: 8 bytes each."""


@dataclass(frozen=True)
class RunsPage:
    """Runs, and everything shown about them on a page."""

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
    commits: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    """The files that differ between two commits, of each pair in one direction."""
    patches: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By the digest of a patch: its files, each with a digest of what is changed in it."""


def gather(project: Project, text: str | None, *, limit: int = MOST) -> RunsPage:
    """Return the content of a page of the runs that match a filter.

    The same ledger and filter give the same page. Raises ``QueryError`` and ``LedgerError``.
    """
    with project_ledger(project, reading=True) as ledger:
        runs = query.find(ledger, text, limit=limit)
        total = len(runs) if len(runs) < limit else query.count(ledger, text)
        files = data_files(ledger, runs)
        curves = _curves(ledger, runs)
        patches = patches_of(ledger, runs)
    described, suspects = environments(project, runs)
    return RunsPage(
        query=text.strip() if text and text.strip() else None,
        runs=tuple(map(_Redactor().run, runs)),
        total=total,
        curves=curves,
        files=files,
        environments=described,
        suspects=suspects,
        commits=commits_of(project, runs),
        patches=patches,
    )


def _curves(ledger: Ledger, runs: Sequence[Run]) -> dict[str, dict[str, Curve]]:
    names = [run.id for run in runs]
    most = share([*query.series_lengths(ledger, names)], POINTS)
    found: dict[str, dict[str, Curve]] = {}
    for identifier, name, points in query.each_series(ledger, names):
        found.setdefault(identifier, {})[name] = curve(points, most)
    return found


class _Redactor:
    """Redacts secrets in runs. Runs share most words, so results are cached."""

    def __init__(self) -> None:
        self._text = cache(redact_text)
        self._is_secret = cache(is_secret_name)

    def run(self, run: Run) -> Run:
        """Return a run without secrets: tags and notes are people's words, and may hold some."""
        return replace(
            run,
            command=redact_words(run.command)[0],
            fields=self._values(run.fields),
            tags={name: str(value) for name, value in self._values(run.tags).items()},
            notes=tuple(self._text(note) for note in run.notes),
            tail=redact_text(run.tail),
        )

    def _values(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return values by name; those with the name of a secret are redacted."""
        return {name: self._value(name, value) for name, value in values.items()}

    def _value(self, name: str, value: Value) -> Value:
        if isinstance(value, str | int | float) and value != "" and self._is_secret(name):
            return REDACTED
        return self._text(value) if isinstance(value, str) else value
