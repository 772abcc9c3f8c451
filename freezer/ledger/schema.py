"""The tables of a ledger, on SQLite and PostgreSQL alike.

A run is kept twice: whole, as one document that comes back bit for bit, and as typed fields with an
index, which filters ask. Series of metrics are kept in chunks of packed doubles: a row for each of
ten million points would take a hundred times as long.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Constraint,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

KEY_LENGTH: Final = 100
"""Characters of a text that are indexed."""

metadata = MetaData()
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")


def _foreign_keys() -> list[Constraint]:
    """Return the foreign keys of a table with rows of runs, which SQLite alone checks.

    PostgreSQL runs a query for each key of each row and locks the row that it finds: 50 of each to
    record a small run, a third of its time, and writers wait for each other's locks on ``names``.
    Runs and names are never removed, so no row can lose the one that it refers to.
    """
    keys = (
        ForeignKeyConstraint(["run"], ["runs.seq"], ondelete="CASCADE"),
        ForeignKeyConstraint(["name"], ["names.id"]),
    )
    return [key.ddl_if(dialect="sqlite") for key in keys]


runs = Table(
    "runs",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("environment", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("ix_runs_started", "started"),
    Index("ix_runs_state", "state"),
    sqlite_autoincrement=True,
)
"""``started``: microseconds since 1970; ``document``: what `run_bytes` wrote."""

names = Table(
    "names",
    metadata,
    Column("id", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    sqlite_autoincrement=True,
)
"""Names of fields, each stored once: a million fields have a few hundred names."""

fields = Table(
    "fields",
    metadata,
    Column("run", _SEQUENCE, primary_key=True),
    Column("name", _SEQUENCE, primary_key=True),
    Column("kind", String(1), nullable=False),
    Column("number", Double),
    Column("bits", LargeBinary(8)),
    Column("key", String(KEY_LENGTH)),
    Column("text", Text),
    *_foreign_keys(),
    Index("ix_fields_number", "name", "kind", "number", "run"),
    Index("ix_fields_key", "name", "kind", "key", "run"),
    sqlite_with_rowid=False,
)
"""``kind``: ``n`` number, ``t`` text, ``b`` boolean, ``m`` moment, ``d`` digest. ``bits`` are a
number's eight bytes: SQLite turns NaN into NULL. ``text`` also holds whole numbers exactly; ``key``
is how it begins, for the index: PostgreSQL refuses to index long texts."""

series = Table(
    "series",
    metadata,
    Column("run", _SEQUENCE, primary_key=True),
    Column("name", _SEQUENCE, primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("steps", LargeBinary, nullable=False),
    Column("times", LargeBinary, nullable=False),
    Column("values", LargeBinary, nullable=False),
    *_foreign_keys(),
)
"""One chunk of a metric's series: packed little-endian, steps and times as 64-bit integers (times
in microseconds since 1970), values as doubles."""

objects = Table(
    "objects",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""Patches, plans and lists of files by content: what runs refer to by digest."""
