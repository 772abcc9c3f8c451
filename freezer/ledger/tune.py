"""How Freezer connects to each kind of database: durability, transactions, round trips."""

from __future__ import annotations

from math import inf
from select import POLLIN, poll
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError

if TYPE_CHECKING:
    from sqlalchemy import Engine

PATIENCE: Final = 30
"""Seconds that a writer waits for other writers."""
IDLE: Final = 1.0
"""Idle seconds after which a network connection is tested before it is used."""


def engine_options(*, sqlite: bool) -> dict[str, Any]:
    """Return the arguments of ``create_engine``. Raises ``ModuleNotFoundError`` for a driver."""
    if sqlite:
        return {"connect_args": {"timeout": PATIENCE, "check_same_thread": False}}
    from psycopg import Cursor
    from psycopg.pq import Format

    class BinaryCursor(Cursor[Any]):
        """Fetches documents in binary: in hexadecimal they are twice as long."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.format = Format.BINARY

    # Without hstore a new connection looks up one type less.
    arguments = {"connect_timeout": 10, "cursor_factory": BinaryCursor}
    return {
        "use_native_hstore": False,
        "connect_args": arguments,
        "isolation_level": "AUTOCOMMIT",
    }


def reading_options(database: str) -> dict[str, Any]:
    """Return how to read: on SQLite in a transaction, so that all statements see one state.

    On PostgreSQL each statement sees a state of its own even in a transaction (READ COMMITTED);
    autocommit saves the two round trips of ``BEGIN`` and ``COMMIT``.
    """
    return {"reads": True} if database == "sqlite" else {}


def writing_options(database: str) -> dict[str, Any]:
    """Return how to write several statements in one transaction."""
    return {} if database == "sqlite" else {"isolation_level": "READ COMMITTED"}


def ping_idle(engine: Engine) -> None:
    """Test a connection that was idle for a second, or that has something to read.

    A server that ends says so or closes the connection, and either can be read. ``pool_pre_ping``
    asks each time, which takes a round trip for each run that is recorded.
    """

    @event.listens_for(engine, "checkin")
    def _returned(_connection: Any, record: Any) -> None:
        record.info["returned"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _taken(connection: Any, record: Any, _proxy: Any) -> None:
        recent = monotonic() - record.info.get("returned", inf) < IDLE
        if recent and not _readable(connection.fileno()):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool opens a new connection


def _readable(descriptor: int) -> bool:
    watched = poll()
    watched.register(descriptor, POLLIN)
    return bool(watched.poll(0))


def tune_sqlite(engine: Engine, *, reading: bool) -> None:
    """Write ahead, sync at each commit, and begin every transaction as a writer does.

    A deferred transaction that reads and then writes fails at once when another one wrote
    meanwhile, whatever the timeout; an immediate one waits its turn.
    """

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        pragmas = ("synchronous=FULL", "foreign_keys=ON")
        for pragma in pragmas if reading else ("journal_mode=WAL", *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        mode = "DEFERRED" if connection.get_execution_options().get("reads") else "IMMEDIATE"
        connection.exec_driver_sql(f"BEGIN {mode}")
