"""Writing runs: each in one short transaction, so that a kill leaves all of it or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from freezer.errors import LedgerError
from freezer.ledger.schema import fields, names, objects, runs, series
from freezer.ledger.series import Points, packed
from freezer.ledger.values import columns, stored_text
from freezer.model.record.run import Run, read_run, run_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from freezer.ledger.connect import Ledger


def record(
    ledger: Ledger,
    run: Run,
    metrics: Mapping[str, Points] | None = None,
    contents: Iterable[bytes] = (),
    *,
    whole: bool = False,
) -> None:
    """Record a run, new or known, with series to add to it and contents that it refers to.

    ``whole`` says that ``metrics`` are all that the run has: whatever was recorded of it before is
    replaced, so that recording the same journal twice changes nothing. Tags, notes and links that
    were added meanwhile are kept. Raises ``LedgerError``.
    """
    with ledger.write() as connection:
        _put(ledger, connection, run, metrics or {}, contents, whole=whole)


def record_many(
    ledger: Ledger, found: Iterable[tuple[Run, Mapping[str, Points], Sequence[bytes]]]
) -> None:
    """Record many runs in one transaction: all of them, or none. Raises ``LedgerError``."""
    with ledger.write() as connection:
        for run, metrics, contents in found:
            _put(ledger, connection, run, metrics, contents)


def record_new(
    ledger: Ledger,
    found: Iterable[tuple[Run, Mapping[str, Points]]],
    contents: Iterable[bytes] = (),
    *,
    by_id: bool = False,
) -> tuple[list[str], list[str]]:
    """Record runs that come from elsewhere, in one transaction: all of them, or none.

    Returns the IDs of those that are new, and of those that are there already, the same. Raises
    ``LedgerError`` for a run that is there, but differs, unless ``by_id``: then its ID is enough.
    """
    new: list[str] = []
    known: list[str] = []
    with ledger.write() as connection:
        for run, metrics in found:
            asked = select(runs.c.document).where(runs.c.id == run.id)
            document = connection.scalar(asked)
            if document is None:
                _put(ledger, connection, run, metrics, ())
                new.append(run.id)
            elif by_id or run_bytes(read_run(document)) == run_bytes(run):
                known.append(run.id)
            else:
                raise LedgerError(
                    f"run {run.id} is in this ledger already, and differs",
                    hint="tags or notes may have been added: import into another ledger, or "
                    "export without this run; nothing was imported",
                )
        for data in contents:
            _put_object(connection, data)
    return new, known


def change(ledger: Ledger, identifier: str, how: Callable[[Run], Run]) -> Run:
    """Change a recorded run; nothing that another process records meanwhile is lost.

    Raises ``LedgerError`` when there is no such run.
    """
    with ledger.write() as connection:
        row = connection.execute(
            select(runs.c.document).where(runs.c.id == identifier).with_for_update()
        ).first()
        if row is None:
            raise LedgerError(f"there is no run {identifier}")
        run = how(read_run(row.document))
        _put(ledger, connection, run, {}, ())
        return run


def append(ledger: Ledger, identifier: str, metrics: Mapping[str, Points]) -> None:
    """Add points to the series of a recorded run. Raises ``LedgerError``."""
    with ledger.write() as connection:
        seq = connection.scalar(select(runs.c.seq).where(runs.c.id == identifier))
        if seq is None:
            raise LedgerError(f"there is no run {identifier}")
        known = _names(ledger, connection, metrics)
        _add_series(connection, seq, metrics, known)


def _put(
    ledger: Ledger,
    connection: Connection,
    run: Run,
    metrics: Mapping[str, Points],
    contents: Iterable[bytes],
    *,
    whole: bool = False,
) -> None:
    known_as = connection.execute(
        select(runs.c.seq, runs.c.document).where(runs.c.id == run.id)
    ).first()
    seq = None if known_as is None else known_as.seq
    if known_as is not None and whole:
        run = _with_remarks(run, read_run(known_as.document))
        connection.execute(delete(series).where(series.c.run == seq))
    row = {
        "environment": run.environment,
        "state": run.state,
        "started": run.started.micros,
        "document": run_bytes(run),
    }
    if seq is None:
        made = connection.execute(insert(runs).values(id=run.id, **row))
        [seq] = made.inserted_primary_key or [None]
    else:
        connection.execute(update(runs).where(runs.c.seq == seq).values(**row))
        connection.execute(delete(fields).where(fields.c.run == seq))
    values = {stored_text(name): value for name, value in run.all_fields().items()}
    metrics = {stored_text(name): points for name, points in metrics.items()}
    known = _names(ledger, connection, {*values, *metrics})
    rows = [{"run": seq, "name": known[name], **columns(value)} for name, value in values.items()]
    connection.execute(insert(fields), rows)
    _add_series(connection, seq, metrics, known, first=known_as is None or whole)
    for data in contents:
        _put_object(connection, data)


def _with_remarks(run: Run, before: Run) -> Run:
    """Return a run with the tags and notes that people added since it began."""
    notes = (*before.notes, *(one for one in run.notes if one not in before.notes))
    return replace(run, tags={**run.tags, **before.tags}, notes=notes)


def _add_series(
    connection: Connection,
    seq: int,
    metrics: Mapping[str, Points],
    known: Mapping[str, int],
    *,
    first: bool = False,
) -> None:
    """Add points to a run's series; ``first`` says that it has none yet."""
    if not metrics:
        return
    last: dict[int, int] = {}
    if not first:
        asked = select(series.c.name, func.max(series.c.chunk)).where(series.c.run == seq)
        last = dict(connection.execute(asked.group_by(series.c.name)).all())
    rows = []
    for name, points in metrics.items():
        start = last.get(known[name], -1) + 1
        for number, part in enumerate(points.chunks(), start):
            steps, times, values = packed(part)
            rows.append(
                {
                    "run": seq,
                    "name": known[name],
                    "chunk": number,
                    "count": len(part),
                    "steps": steps,
                    "times": times,
                    "values": values,
                }
            )
    if rows:
        connection.execute(insert(series), rows)


def _names(ledger: Ledger, connection: Connection, wanted: Iterable[str]) -> Mapping[str, int]:
    """Return the numbers of names; new ones are added, whoever else adds them meanwhile."""
    found = ledger.names
    listed = sorted({one for one in wanted if one not in found})
    if listed:
        found |= _known(connection, listed)
    missing = [{"name": name} for name in listed if name not in found]
    if missing:
        connection.execute(_insert(connection, names).on_conflict_do_nothing(), missing)
        found |= _known(connection, [one["name"] for one in missing])
    return found


def _known(connection: Connection, listed: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(listed), 500):
        asked = select(names.c.name, names.c.id).where(
            names.c.name.in_(bindparam("names", expanding=True))
        )
        rows = connection.execute(asked, {"names": listed[start : start + 500]})
        found.update(dict(rows.all()))
    return found


def _put_object(connection: Connection, data: bytes) -> None:
    row = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "data": data}
    connection.execute(_insert(connection, objects).on_conflict_do_nothing(), row)


def _insert(connection: Connection, table: Any) -> Any:
    """Return an insert that may meet rows which are there already."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # takes as long to load as recording a run

    return postgresql.insert(table)
