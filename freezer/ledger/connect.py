"""Opens a ledger: SQLite by default, PostgreSQL by its URL, with the same code."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    NoSuchModuleError,
    SQLAlchemyError,
)

from freezer.errors import LedgerError, LedgerGoneError
from freezer.ledger.revision import REVISION
from freezer.ledger.schema import metadata
from freezer.ledger.tune import (
    engine_options,
    ping_idle,
    reading_options,
    tune_sqlite,
    writing_options,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_KNOWN: Final = ("0001",)
"""Revisions of the schema, the oldest first."""


class Ledger:
    """An open database of runs with the schema of this version."""

    def __init__(self, engine: Engine, shown: str) -> None:
        self.engine = engine
        self.shown = shown
        """The address without credentials."""
        database = engine.dialect.name
        self.takes_arrays = database == "postgresql"
        """Whether one statement can insert all rows of a run."""
        self._reading = engine.execution_options(**reading_options(database))
        self.transactional = engine.execution_options(**writing_options(database))
        """The same engine, with transactions of several statements."""
        self.names: dict[str, int] = {}
        """The numbers of names that the database has: none is ever removed or changed."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a short transaction that may write. Raises ``LedgerGoneError``."""
        try:
            with ledger_errors(self.shown), self.transactional.begin() as connection:
                yield connection
        except BaseException:
            self.names.clear()  # the transaction that is rolled back may have added some
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that reads one state of the database."""
        with ledger_errors(self.shown), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """Open a connection of PostgreSQL on which each statement is a transaction of its own.

        For a change of one statement: without ``BEGIN`` and ``COMMIT`` it takes one round trip.
        """
        with ledger_errors(self.shown), self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_ledger(address: str | Path) -> Ledger:
    """Open the ledger at a path or URL; create it if there is none.

    Raises ``LedgerGoneError`` if the database cannot be reached, and ``LedgerError`` if a newer
    Freezer wrote it or it is not a ledger.
    """
    url = _url(address)
    shown = url.render_as_string(hide_password=True) if url.host else str(url.database)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and url.database and not url.query:
        with ledger_errors(shown):
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    try:
        engine = create_engine(url, **engine_options(sqlite=sqlite))
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise LedgerError(
            f"no driver is installed for this kind of database: {url.get_backend_name()}",
            found=str(error),
            hint="for PostgreSQL install Freezer with its extra 'postgres'",
        ) from None
    if sqlite:
        tune_sqlite(engine, reading=bool(url.query))
    else:
        ping_idle(engine)
    ledger = Ledger(engine, shown)
    try:
        with ledger_errors(shown):
            _bring_up_to_date(ledger)
    except LedgerError:
        ledger.close()
        raise
    return ledger


def read_only(path: Path) -> str:
    """Return the URL of a SQLite ledger in a read-only folder.

    If a writer left its shared memory, the file is read with it, otherwise on its own.
    """
    return at_rest(
        path, "mode=ro" if path.with_name(f"{path.name}-shm").exists() else "immutable=1"
    )


def at_rest(path: Path, mode: str = "immutable=1") -> str:
    """Return the URL of a SQLite ledger that is read without the files next to it."""
    return f"sqlite:///file:{quote(str(path))}?{mode}&uri=true"


def is_missing(address: str | Path) -> bool:
    """Return whether an address is that of a SQLite file that does not exist."""
    url = _url(address)
    is_file = url.get_backend_name() == "sqlite" and bool(url.database) and not url.query
    return is_file and not Path(str(url.database)).exists()


def is_at_rest(path: Path) -> bool:
    """Return whether a SQLite ledger is complete in its file: its write-ahead log is empty."""
    try:
        return path.stat().st_size > 0 and not path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return path.exists()


def _url(address: str | Path) -> URL:
    if isinstance(address, Path):
        return URL.create("sqlite", database=str(address))
    try:
        url = make_url(address)
    except ArgumentError:
        raise LedgerError(
            "this is not the URL of a database",
            expected="such as postgresql://host/name or sqlite:///path/ledger.db",
        ) from None
    if url.get_backend_name() == "postgresql" and url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def _bring_up_to_date(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        there = inspect(connection).get_table_names()
        revision = None
        if "alembic_version" in there:
            revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if revision == REVISION:
        return
    if revision is not None and revision not in _KNOWN:
        raise LedgerError(
            "a newer Freezer wrote this ledger",
            found=f"schema {revision} in {ledger.shown}",
            expected=f"schema {REVISION}, or an older one",
            hint="upgrade Freezer",
        )
    if there and revision is None:
        raise LedgerError(
            "this database is not a ledger: it has other tables",
            found=", ".join(sorted(there)[:5]),
            hint="use a separate database, or another file",
        )
    if revision is None:
        _create(ledger)
    else:
        from freezer.ledger.migrate import upgrade

        upgrade(ledger.transactional)


def _create(ledger: Ledger) -> None:
    """Create the tables of the newest revision directly: Alembic takes a second to load.

    A test in ``tests/unit/ledger`` compares them with the result of the migrations.
    """
    with ledger.transactional.begin() as connection:
        if connection.dialect.name == "postgresql":  # two processes may create it at once
            connection.execute(text("SELECT pg_advisory_xact_lock(7236)"))
        if "alembic_version" in inspect(connection).get_table_names():
            return
        metadata.create_all(connection)
        connection.execute(
            text(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
            )
        )
        connection.execute(
            text("INSERT INTO alembic_version (version_num) VALUES (:one)"), {"one": REVISION}
        )


@contextmanager
def ledger_errors(shown: str) -> Iterator[None]:
    """Convert errors of a database to ``LedgerGoneError`` and ``LedgerError``."""
    try:
        yield
    except DBAPIError as error:
        gone = _is_gone(error)
        kind = LedgerGoneError if gone else LedgerError
        raise kind(
            f"the ledger {shown} {'cannot be reached or written' if gone else 'refused'}",
            found=_first_line(error.orig or error),
            hint="check that the database is running, that its disk is not full, "
            "and that you may write to it",
        ) from None
    except SQLAlchemyError as error:
        raise LedgerError(f"the ledger {shown} failed", found=_first_line(error)) from None
    except OSError as error:
        raise LedgerGoneError(
            f"the ledger {shown} cannot be opened", found=error.strerror or str(error)
        ) from None


def _is_gone(error: DBAPIError) -> bool:
    """Return whether a retry may succeed: no connection, a full disk, a lasting lock."""
    name = type(error.orig).__name__
    return error.connection_invalidated or name in (
        "OperationalError", "AdminShutdown", "ConnectionTimeout", "DiskFull", "InterfaceError",
        "CannotConnectNow", "ReadOnlySqlTransaction", "CrashShutdown",
    )  # fmt: skip


def _first_line(error: BaseException) -> str:
    with contextlib.suppress(IndexError):
        return str(error).strip().splitlines()[0]
    return type(error).__name__
