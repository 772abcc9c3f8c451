"""`freeze runs export`: whole runs, with series and contents, in one file."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from freezer.flows.runs.ledger import project_ledger
from freezer.ledger import query
from freezer.ledger.exchange.document import digests, export_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.flows.project.project import Project
    from freezer.ledger.connect import Ledger
    from freezer.ledger.series import Points
    from freezer.model.record.run import Run


def export_json(project: Project, text: str | None, stream: IO[bytes]) -> int:
    """Write the runs that match a filter, the earliest first; return their number.

    Raises ``QueryError`` and ``LedgerError``.
    """
    with project_ledger(project, reading=True) as ledger:
        runs = query.find(ledger, text, limit=None)[::-1]
        for part in export_parts(_with_series(ledger, runs), _contents(ledger, runs)):
            stream.write(part)
    return len(runs)


def _with_series(ledger: Ledger, runs: Sequence[Run]) -> Iterator[tuple[Run, Mapping[str, Points]]]:
    for run in runs:
        yield run, query.all_points(ledger, run.id)


def _contents(ledger: Ledger, runs: Sequence[Run]) -> Iterator[bytes]:
    """Yield what the runs refer to, each once; digests of what the ledger never had are many."""
    for sha256 in sorted({one for run in runs for one in digests(run)}):
        data = query.stored_content(ledger, sha256)
        if data is not None:
            yield data
