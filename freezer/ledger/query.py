"""Queries a ledger: runs by filter, one run by its ID, series, contents."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer, Select, and_, bindparam, case, func, literal, select

from freezer.errors import LedgerError, QueryError
from freezer.ledger.filter.compile import (
    all_names,
    assumed,
    condition,
    expression,
    is_empty,
    look_up,
    names_in,
    shaped,
)
from freezer.ledger.names import read_numbers
from freezer.ledger.schema import fields, names, objects, runs, series
from freezer.ledger.series import Points, joined, unpacked
from freezer.ledger.values import OF_EVERY_RUN
from freezer.model.record.run import read_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Dialect

    from freezer.ledger.connect import Ledger
    from freezer.ledger.filter.compile import Shape
    from freezer.ledger.filter.syntax import Node
    from freezer.model.record.run import Run

LIMIT: Final = 1000
"""Default limit of a query, in runs."""
_FETCHED: Final = 500
"""Documents fetched in one batch."""
_LATEST: Final = (runs.c.started.desc(), runs.c.seq.desc())
_ORDER: Final = re.compile(r"\s*(?P<name>.+?)(?:\s+(?P<way>asc|desc))?\s*", re.IGNORECASE)


def find(
    ledger: Ledger,
    text: str | None = None,
    *,
    order: str | None = None,
    limit: int | None = LIMIT,
) -> list[Run]:
    """Return the runs that match a filter, in full, the latest first.

    ``order`` is a field's name, maybe with ``asc`` or ``desc``: runs without it come last. Raises
    ``QueryError`` and ``LedgerError``.
    """
    node = _parsed(text)
    with ledger.read() as connection:
        if order is None and node is not None:
            found = _found_at_once(ledger, connection, node, limit)
            if found:
                return [read_run(data) for data in found]
        statement: Select[Any] = select(runs.c.seq)
        if node is not None:
            statement = statement.where(_condition(connection, node, text))
        if order is None:
            found = connection.scalars(_latest(statement.limit(limit))).all()
            return [read_run(data) for data in found]
        chosen = _ordered(connection, statement, order).limit(limit)
        return [read_run(data) for data in _documents(connection, chosen)]


def _parsed(text: str | None) -> Node | None:
    if text is None or not text.strip():
        return None
    from freezer.ledger.filter.parse import parse_filter  # most queries have no filter

    return parse_filter(text)


def _found_at_once(
    ledger: Ledger, connection: Connection, node: Node, limit: int | None
) -> Sequence[bytes]:
    """Return documents by a filter whose fields are assumed to be there; none proves nothing."""
    assumption = assumed(node, read_numbers(ledger, connection, names_in(node)))
    if assumption is None:
        return ()
    shape, values = shaped(node, assumption, "")
    text, constants = _statement(shape, len(values), connection.dialect.name, limit is not None)
    named = {f"v{place}": value for place, value in enumerate(values)}
    rows = connection.exec_driver_sql(text, {**constants, **named, "most": limit})
    return rows.scalars().all()


@lru_cache(maxsize=256)
def _statement(
    shape: Shape, count: int, database: str, limited: bool
) -> tuple[str, dict[str, Any]]:
    """Return the SQL for filters of one shape, and the parameters that are the same for all.

    The values are ``v0``, ``v1`` and so on, the limit ``most``. Building and compiling a statement
    takes longer than executing it.
    """
    values: Iterator[Any] = (bindparam(f"v{place}") for place in range(count))
    statement = select(runs.c.seq).where(expression(shape, values))
    limit = bindparam("most", type_=Integer) if limited else None
    compiled = _latest(statement.limit(limit)).compile(dialect=_dialect(database))
    constants = {
        name: value
        for name, value in compiled.params.items()
        if name != "most" and value is not None
    }
    return str(compiled), constants


def _dialect(database: str) -> Dialect:
    """Return a dialect with named parameters."""
    if database == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.dialect(paramstyle="named")
    from sqlalchemy.dialects.postgresql import psycopg

    made: Dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
    return made


def _latest(statement: Select[Any]) -> Select[Any]:
    """Return a statement for the documents of chosen runs, the latest first.

    They are joined after the runs are selected: sorting all documents would dominate the time.
    """
    chosen = statement.add_columns(runs.c.started).order_by(*_LATEST).subquery()
    return (
        select(runs.c.document)
        .join(chosen, chosen.c.seq == runs.c.seq)
        .order_by(chosen.c.started.desc(), chosen.c.seq.desc())
    )


def _documents(connection: Connection, chosen: Select[Any]) -> Iterator[bytes]:
    """Yield the documents of selected runs in order; the order is known before they are read."""
    numbers = connection.scalars(chosen).all()
    for start in range(0, len(numbers), _FETCHED):
        some = numbers[start : start + _FETCHED]
        asked = select(runs.c.seq, runs.c.document).where(runs.c.seq.in_(some))
        found = dict(connection.execute(asked).all())
        yield from (found[number] for number in some if number in found)


def count(ledger: Ledger, text: str | None = None) -> int:
    """Return how many runs match a filter. Raises ``QueryError`` and ``LedgerError``."""
    node = _parsed(text)
    with ledger.read() as connection:
        statement = select(func.count()).select_from(runs)
        if node is not None:
            statement = statement.where(_condition(connection, node, text))
        return int(connection.scalar(statement) or 0)


def get(ledger: Ledger, name: str) -> Run:
    """Return the run with this prefix of its ID, or the latest one (``latest``, ``latest~2``).

    Raises ``LedgerError`` when there is none, or more than one.
    """
    with ledger.read() as connection:
        if not name.strip():
            asked = select(runs.c.document).limit(0)
        elif match := re.fullmatch(r"latest(?:~([0-9]{1,6}))?", name):
            back = int(match[1] or 0)
            asked = select(runs.c.document).order_by(runs.c.seq.desc()).offset(back).limit(1)
        else:
            asked = (
                select(runs.c.document)
                .where(runs.c.id.startswith(name.lower(), autoescape=True))
                .limit(2)
            )
        found = connection.scalars(asked).all()
    if len(found) == 1:
        return read_run(found[0])
    if found:
        raise LedgerError(
            f"several runs begin with {name!r}",
            found=", ".join([*(read_run(data).id for data in found), "..."]),
            expected="more digits of a run's ID",
        )
    raise LedgerError(
        f"there is no run {name!r}",
        expected="the first digits of a run's ID, 'latest', or 'latest~1' for the one before it",
        hint="`freeze runs list` shows them",
    )


def field_names(ledger: Ledger) -> list[str]:
    """Return every name that a filter can use."""
    with ledger.read() as connection:
        return all_names(connection)


def points(ledger: Ledger, identifier: str, name: str) -> Points:
    """Return the whole series of a metric of a run, in the order of recording; empty if none."""
    return all_points(ledger, identifier, [name]).get(name, joined([]))


def all_points(
    ledger: Ledger, identifier: str, wanted: Sequence[str] | None = None
) -> dict[str, Points]:
    """Return the series of a run by name: all of them, or the requested ones."""
    asked = (
        select(names.c.name, series.c.steps, series.c.times, series.c["values"])
        .join(names, names.c.id == series.c.name)
        .where(series.c.run == select(runs.c.seq).where(runs.c.id == identifier).scalar_subquery())
        .order_by(names.c.name, series.c.chunk)
    )
    if wanted is not None:
        asked = asked.where(names.c.name.in_(wanted))
    found: dict[str, list[Points]] = {}
    with ledger.read() as connection:
        for name, steps, times, values in connection.execute(asked):
            found.setdefault(name, []).append(unpacked(steps, times, values))
    return {name: joined(parts) for name, parts in found.items()}


def each_series(ledger: Ledger, identifiers: Sequence[str]) -> Iterator[tuple[str, str, Points]]:
    """Yield run ID, metric and series of many runs; the series of a run come sorted by name."""
    for start in range(0, len(identifiers), 400):
        asked = (
            select(runs.c.id, names.c.name, series.c.steps, series.c.times, series.c["values"])
            .join(runs, runs.c.seq == series.c.run)
            .join(names, names.c.id == series.c.name)
            .where(runs.c.id.in_(identifiers[start : start + 400]))
            .order_by(series.c.run, names.c.name, series.c.chunk)
        )
        with ledger.read() as connection:
            rows = connection.execute(asked).all()
        for (identifier, name), parts in groupby(rows, key=lambda row: (row[0], row[1])):
            yield identifier, name, joined([unpacked(*part[2:]) for part in parts])


def series_lengths(ledger: Ledger, identifiers: Sequence[str]) -> Iterator[int]:
    """Yield how many points each series of many runs has."""
    for start in range(0, len(identifiers), 400):
        asked = (
            select(func.sum(series.c.count))
            .join(runs, runs.c.seq == series.c.run)
            .where(runs.c.id.in_(identifiers[start : start + 400]))
            .group_by(series.c.run, series.c.name)
        )
        with ledger.read() as connection:
            yield from connection.scalars(asked).all()


def content(ledger: Ledger, sha256: str) -> bytes:
    """Return content that a run refers to by digest. Raises ``LedgerError``."""
    data = stored_content(ledger, sha256)
    if data is None:
        raise LedgerError(f"the ledger has no content with the digest {sha256[:12]}")
    return data


def stored_content(ledger: Ledger, sha256: str) -> bytes | None:
    """Return the content with a digest; None if the ledger has none. Raises ``LedgerError``."""
    with ledger.read() as connection:
        data = connection.scalar(select(objects.c.data).where(objects.c.sha256 == sha256))
    if data is None:
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise LedgerError(f"the content with the digest {sha256[:12]} has changed in the ledger")
    return bytes(data)


def _condition(connection: Connection, node: Node, text: str | None) -> ColumnElement[bool]:
    known, text = look_up(connection, node), text or ""
    try:
        return condition(node, known, text)
    except QueryError:
        # The same error with similar names; all names are read only now.
        return condition(node, known, text, all_names(connection))


def _ordered(connection: Connection, statement: Select[Any], order: str) -> Select[Any]:
    match = _ORDER.fullmatch(order)
    name = match["name"].strip('`"') if match else order
    down = bool(match and (match["way"] or "").lower() == "desc")
    number = connection.scalar(select(names.c.id).where(names.c.name == name))
    if number is None and (name in OF_EVERY_RUN or is_empty(connection)):
        return statement.order_by(*_LATEST)
    if number is None:
        raise QueryError(
            f"no run has a field {name!r} to sort by", hint="`freeze runs fields` lists all"
        )
    joined_to = statement.outerjoin(
        fields, and_(fields.c.run == runs.c.seq, fields.c.name == literal(number))
    )
    absent = case((and_(fields.c.number.is_(None), fields.c.text.is_(None)), 1), else_=0)
    columns = (fields.c.number, fields.c.text)
    return joined_to.order_by(
        absent, *(one.desc() if down else one.asc() for one in columns), runs.c.seq.desc()
    )
