"""Runs that are recorded as running: still running, or ended when their process was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from freezer.ledger.schema import runs
from freezer.model.record.run import read_run

if TYPE_CHECKING:
    from freezer.ledger.connect import Ledger
    from freezer.model.record.run import Run


def running(ledger: Ledger) -> list[Run]:
    """Return the runs that are recorded as running, the earliest first."""
    statement = select(runs.c.document).where(runs.c.state == "running").order_by(runs.c.seq)
    with ledger.read() as connection:
        return [read_run(row.document) for row in connection.execute(statement)]
