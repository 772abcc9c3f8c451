"""Records runs, each in one short transaction: after a kill all of it is there, or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from freezer.errors import LedgerError
from freezer.ledger.insert import append_series, insert_missing, insert_rows, insert_run
from freezer.ledger.names import numbered
from freezer.ledger.schema import fields, objects, runs, series
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
    """Record a new or known run, with series to append and contents that it refers to.

    ``whole`` says that ``metrics`` are all that the run has: whatever was recorded of it before is
    replaced, so that recording the same journal twice changes nothing. Tags, notes and links that
    were added meanwhile are kept. Raises ``LedgerError``.
    """
    metrics, contents = metrics or {}, tuple(contents)
    if not whole and not contents and _inserted_at_once(ledger, run, metrics):
        return
    with ledger.write() as connection:
        _put(ledger, connection, run, metrics, contents, whole=whole)


def _inserted_at_once(ledger: Ledger, run: Run, metrics: Mapping[str, Points]) -> bool:
    """Insert a run by a single statement and return true; do nothing where that is not possible.

    It is possible on PostgreSQL, for a new run whose names are all known.
    """
    if not ledger.takes_arrays or not _names(run, metrics) <= ledger.names.keys():
        return False
    with ledger.autocommit() as connection:
        rows = _field_rows(run, ledger.names)
        chunks = _series_rows(_stored(metrics), ledger.names)
        return insert_run(connection, _row(run), rows, chunks) is not None


def _names(run: Run, metrics: Mapping[str, Points]) -> set[str]:
    """Return the names of a run's fields and series, as the ledger stores them."""
    return {stored_text(name) for name in (*run.all_fields(), *metrics)}


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
    """Record imported runs in one transaction: all of them, or none.

    Returns the IDs of new runs, and of runs that are recorded already with the same content. Raises
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
                    f"run {run.id} is already in this ledger, with other content",
                    hint="tags or notes may have been added: import into another ledger, or "
                    "export without this run; nothing was imported",
                )
        for data in contents:
            _put_object(connection, data)
    return new, known


def change(ledger: Ledger, identifier: str, how: Callable[[Run], Run]) -> Run:
    """Change a recorded run, without losing concurrent changes of other processes.

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
    metrics = _stored(metrics)
    at_once = ledger.takes_arrays and metrics.keys() <= ledger.names.keys()
    with ledger.autocommit() if at_once else ledger.write() as connection:
        rows = _series_rows(metrics, numbered(ledger, connection, metrics))
        if not append_series(connection, identifier, rows):
            raise LedgerError(f"there is no run {identifier}")


def _put(
    ledger: Ledger,
    connection: Connection,
    run: Run,
    metrics: Mapping[str, Points],
    contents: Iterable[bytes],
    *,
    whole: bool = False,
) -> None:
    known = numbered(ledger, connection, _names(run, metrics))
    chunks = _series_rows(_stored(metrics), known)
    # A run recorded whole was recorded at its start as well; most others are new.
    before = _recorded(connection, run.id) if whole else None
    if before is None:
        rows = _field_rows(run, known)
        if insert_run(connection, _row(run), rows, chunks) is None:
            before = _recorded(connection, run.id)
    if before is not None:
        _replace(ledger, connection, run, before, whole=whole)
        append_series(connection, run.id, chunks)
    for data in contents:
        _put_object(connection, data)


def _recorded(connection: Connection, identifier: str) -> tuple[int, bytes] | None:
    """Return the number and the document of a run; None if there is no such run."""
    asked = select(runs.c.seq, runs.c.document).where(runs.c.id == identifier)
    row = connection.execute(asked).first()
    return None if row is None else (row.seq, row.document)


def _replace(
    ledger: Ledger, connection: Connection, run: Run, before: tuple[int, bytes], *, whole: bool
) -> None:
    """Replace the document and fields of a run; with ``whole`` remove its series as well."""
    number, document = before
    if whole:
        run = _with_remarks(run, read_run(document))
        connection.execute(delete(series).where(series.c.run == number))
    connection.execute(update(runs).where(runs.c.seq == number).values(_row(run)))
    connection.execute(delete(fields).where(fields.c.run == number))
    known = numbered(ledger, connection, _names(run, {}))
    insert_rows(connection, fields, number, _field_rows(run, known))


def _with_remarks(run: Run, before: Run) -> Run:
    """Return a run with the tags and notes that people added since it began."""
    notes = (*before.notes, *(one for one in run.notes if one not in before.notes))
    return replace(run, tags={**run.tags, **before.tags}, notes=notes)


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "environment": run.environment,
        "state": run.state,
        "started": run.started.micros,
        "document": run_bytes(run),
    }


def _stored(metrics: Mapping[str, Points]) -> dict[str, Points]:
    return {stored_text(name): points for name, points in metrics.items()}


def _field_rows(run: Run, known: Mapping[str, int]) -> list[dict[str, Any]]:
    values = {stored_text(name): value for name, value in run.all_fields().items()}
    return [{"name": known[name], **columns(value)} for name, value in values.items()]


def _series_rows(metrics: Mapping[str, Points], known: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the chunks of series, each counted from 0."""
    rows = []
    for name, points in metrics.items():
        for number, part in enumerate(points.chunks()):
            steps, times, values = packed(part)
            rows.append(
                {
                    "name": known[name],
                    "chunk": number,
                    "count": len(part),
                    "steps": steps,
                    "times": times,
                    "values": values,
                }
            )
    return rows


def _put_object(connection: Connection, data: bytes) -> None:
    row = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "data": data}
    connection.execute(insert_missing(connection, objects), row)
