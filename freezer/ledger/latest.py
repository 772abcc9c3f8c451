"""The latest runs of a ledger in a file, listed without SQLAlchemy.

To load SQLAlchemy takes longer than to read and print fifty runs. Only what needs no filter, no
migration and no change is answered here; all else, errors included, is left to ``query``.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from freezer.ledger.revision import REVISION
from freezer.model.record.run import read_run

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.model.record.run import Run

_RUNNING: Final = "SELECT 1 FROM runs WHERE state = 'running' LIMIT 1"
_LATEST: Final = "SELECT document FROM runs ORDER BY started DESC, seq DESC LIMIT ?"


def latest(path: Path, limit: int | None = None) -> tuple[list[Run], int] | None:
    """Return the latest runs of a ledger, whole, and how many it has.

    None where the file has another schema, a run that may have been killed, or cannot be read.
    """
    try:
        address = f"file:{quote(str(path))}?mode=rw"  # never created; a writer's log is read too
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN DEFERRED")  # all statements see one state
            revisions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            if revisions != [(REVISION,)] or connection.execute(_RUNNING).fetchone():
                return None
            documents = connection.execute(_LATEST, (-1 if limit is None else limit,)).fetchall()
            [total] = connection.execute("SELECT count(*) FROM runs").fetchone()
        return [read_run(document) for (document,) in documents], total
    except (sqlite3.Error, ValueError):
        return None
