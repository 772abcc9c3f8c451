"""Inserts the rows of a run: table by table on SQLite, in one statement on PostgreSQL.

A statement costs PostgreSQL a round trip and a plan, so there all rows of a run are sent as arrays
in one. SQLite has neither arrays nor round trips.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, true

from freezer.ledger.schema import fields, runs, series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Table

    Row = Mapping[str, Any]


def insert_run(
    connection: Connection, run: Row, its_fields: Sequence[Row], its_series: Sequence[Row]
) -> int | None:
    """Insert a run with its rows and return its number; None if its ID exists.

    ``run`` lacks ``seq``, and the rows lack ``run``: the database gives that number.
    """
    if is_postgres(connection):
        parameters = {**run, **_arrays(fields, its_fields), **_arrays(series, its_series)}
        number: int | None = _send(connection, _run_statement(), parameters).scalar()
        return number
    number = connection.scalar(insert_missing(connection, runs).returning(runs.c.seq), run)
    if number is not None:
        insert_rows(connection, fields, number, its_fields)
        insert_rows(connection, series, number, its_series)
    return number


def insert_rows(connection: Connection, table: Table, number: int, rows: Sequence[Row]) -> None:
    """Insert rows of ``fields`` or ``series`` for run ``number``, which has none yet."""
    if not rows:
        return
    if is_postgres(connection):
        _send(connection, _rows_statement(table), {"number": number, **_arrays(table, rows)})
    else:
        connection.execute(insert(table), [{"run": number, **row} for row in rows])


def append_series(connection: Connection, identifier: str, rows: Sequence[Row]) -> bool:
    """Append chunks to the series of a run; return False if there is no such run.

    The ``chunk`` of the rows counts from 0 for each series.
    """
    if rows and is_postgres(connection):
        parameters = {"identifier": identifier, **_arrays(series, rows)}
        return _send(connection, _append_statement(), parameters).scalar() is not None
    number = connection.scalar(select(runs.c.seq).where(runs.c.id == identifier))
    if number is None:
        return False
    asked = select(series.c.name, func.max(series.c.chunk)).where(series.c.run == number)
    last: dict[int, int] = dict(connection.execute(asked.group_by(series.c.name)).all())
    moved = [{**row, "chunk": row["chunk"] + last.get(row["name"], -1) + 1} for row in rows]
    insert_rows(connection, series, number, moved)
    return True


def insert_missing(connection: Connection, table: Table) -> Any:
    """Return an insert that skips existing rows."""
    if is_postgres(connection):
        from sqlalchemy.dialects import postgresql  # takes as long to load as recording a run

        return postgresql.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table).on_conflict_do_nothing()


def is_postgres(connection: Connection) -> bool:
    """Return whether the database is PostgreSQL: over a network, with array parameters."""
    return connection.dialect.name == "postgresql"


def _send(connection: Connection, statement: Any, parameters: Mapping[str, Any]) -> Any:
    """Execute a statement of arrays, its parameters in PostgreSQL's binary form."""
    sql, constants = _binary_sql(statement)
    return connection.exec_driver_sql(sql, {**constants, **parameters})


@cache
def _binary_sql(statement: Any) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a statement with binary parameters, ``%(name)b``, and its constants.

    SQLAlchemy writes ``%(name)s``: psycopg then sends arrays as text and looks in each value for
    characters to escape, which takes longer than all else on this side.
    """
    from sqlalchemy.dialects.postgresql import psycopg

    compiled = statement.compile(dialect=psycopg.dialect())  # type: ignore[no-untyped-call]
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return re.sub(r"%\((\w+)\)s", r"%(\1)b", str(compiled)), constants


def _columns(table: Table) -> list[str]:
    return [column.name for column in table.c if column.name != "run"]


def _arrays(table: Table, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return rows as an array for each column, named like the parameters of `_rows`."""
    return {f"{table.name}_{name}": [row[name] for row in rows] for name in _columns(table)}


def _rows(table: Table) -> Any:
    """Return a table expression of the rows that `_arrays` turned into columns."""
    from sqlalchemy.dialects.postgresql import ARRAY

    names = _columns(table)
    arrays = [bindparam(f"{table.name}_{name}", type_=ARRAY(table.c[name].type)) for name in names]
    return func.unnest(*arrays).table_valued(*names, name=f"new_{table.name}").render_derived()


@cache
def _run_statement() -> Any:
    """Return one statement that inserts a run, its fields and series, and returns its number."""
    from sqlalchemy.dialects.postgresql import insert as insert_postgres

    names = [column.name for column in runs.c if column is not runs.c.seq]
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    made = insert_postgres(runs).values(values).on_conflict_do_nothing().returning(runs.c.seq)
    new = made.cte("new_run")
    more = []
    for table in (fields, series):
        rows, names = _rows(table), _columns(table)
        chosen = select(new.c.seq, *(rows.c[name] for name in names))
        chosen = chosen.select_from(new.join(rows, true()))
        more.append(insert(table).from_select(["run", *names], chosen).cte(f"put_{table.name}"))
    return select(new.c.seq).add_cte(*more)


@cache
def _rows_statement(table: Table) -> Any:
    """Return a statement that inserts rows of one table for an existing run."""
    rows, names = _rows(table), _columns(table)
    number = bindparam("number", type_=runs.c.seq.type)
    chosen = select(number, *(rows.c[name] for name in names))
    return insert(table).from_select(["run", *names], chosen)


@cache
def _append_statement() -> Any:
    """Return a statement that appends chunks to the series of a run, if it exists."""
    rows, names = _rows(series), _columns(series)
    there = select(func.max(series.c.chunk) + 1)
    there = there.where(series.c.run == runs.c.seq, series.c.name == rows.c.name)
    # Only the tables named here belong to the outer query.
    first = func.coalesce(there.correlate(runs, rows).scalar_subquery(), 0)
    values = [rows.c[name] + first if name == "chunk" else rows.c[name] for name in names]
    chosen = select(runs.c.seq, *values).where(runs.c.id == bindparam("identifier"))
    chosen = chosen.select_from(runs.join(rows, true()))
    made = insert(series).from_select(["run", *names], chosen)
    return made.returning(series.c.run)
