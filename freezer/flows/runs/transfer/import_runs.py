"""`freeze runs import`: imports runs that another ledger exported, unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import LedgerError, Where
from freezer.fetch.store.untrusted import read_untrusted
from freezer.flows.runs.ledger import project_ledger
from freezer.ledger.exchange.document import read_export
from freezer.ledger.record import record_new

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.project import Project

LARGEST: Final = 2 << 30
"""Bytes of an export: about 60 million points."""


@dataclass(frozen=True)
class Imported:
    """The result of an import."""

    recorded: tuple[str, ...]
    """IDs of the runs that are new."""
    skipped: tuple[str, ...]
    """IDs of the runs that were there already, the same."""
    notes: tuple[str, ...] = ()
    """What could not be imported unchanged."""


def import_file(project: Project, path: Path) -> Imported:
    """Record the runs of an export: all of them, or none.

    Runs that are already recorded are skipped. Raises ``LedgerError`` for a file that is no export,
    and for a run that the ledger knows otherwise.
    """
    try:
        data = read_untrusted(path, LARGEST + 1)
    except OSError as error:
        raise LedgerError(
            "the file cannot be read", where=Where(str(path)), found=error.strerror or str(error)
        ) from None
    if len(data) > LARGEST:
        raise LedgerError(
            "the file is too large", where=Where(str(path)), expected=f"{LARGEST} bytes at most",
            hint="export fewer runs at once: `freeze runs export FILTER`",
        )  # fmt: skip
    try:
        found = read_export(data)
    except LedgerError as error:
        error.where = Where(str(path))
        raise
    with project_ledger(project) as ledger:
        new, known = record_new(ledger, found.runs, found.contents)
    return Imported(tuple(new), tuple(known))
