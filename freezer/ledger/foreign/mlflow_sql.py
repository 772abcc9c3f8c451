"""Reads MLflow's SQLite store, as a file that anybody may have written.

It is opened immutable: nothing is created next to it, and no lock is taken. Only tables are read,
never views or virtual tables, whose text would be run; a query that takes too long is ended.
"""

from __future__ import annotations

import math
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from freezer.ledger.foreign.found import LONGEST_TEXT, Budget, ForeignRun, keep_text
from freezer.ledger.series import Points

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER: Final = b"SQLite format 3\0"
INFINITY: Final = sys.float_info.max
"""What MLflow writes for infinity."""
_TABLES: Final = ("runs", "params", "metrics", "tags", "experiments")
_SECONDS: Final = 60.0
_STEPS: Final = 10_000
"""Instructions of SQLite's between two looks at the clock."""
_LARGEST: Final = 1 << 30
"""Bytes of a database whose log has to be copied with it."""


def sql_runs(path: Path, budget: Budget) -> Iterator[ForeignRun]:
    """Yield the runs of a store that are not deleted, the earliest first.

    A database that is not an MLflow store is noted in the budget.
    """
    name = ascii(path.name)[1:-1]
    try:
        with _opened(path) as connection:
            if not _is_store(connection):
                return
            runs = list(_runs(connection))
            by_id = {run.id: run for run in runs}
            _read_texts(connection, by_id, budget)
            _read_metrics(connection, by_id, budget)
    except (sqlite3.Error, OSError, ValueError, OverflowError, UnicodeError) as error:
        budget.note(f"{name}: {error}")
        return
    for run in runs:
        run.parent = run.tags.get("mlflow.parentRunId", "")
        yield run


def is_store(path: Path) -> bool:
    """Return whether a file is a database with MLflow's tables."""
    try:
        with path.open("rb") as stream:
            if stream.read(len(HEADER)) != HEADER:
                return False
        with _opened(path) as connection:
            return _is_store(connection)
    except (sqlite3.Error, OSError, ValueError):
        return False


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database; if its writer was killed, a copy of it with its log."""
    logs = [path.with_name(f"{path.name}{end}") for end in ("-wal", "-journal")]
    logs = [one for one in logs if one.is_file() and not one.is_symlink() and one.stat().st_size]
    if not logs:
        with closing(_connect(path, "immutable=1")) as connection:
            yield connection
        return
    if sum(one.stat().st_size for one in (path, *logs)) > _LARGEST:
        message = "it was not closed properly, and is too large to be copied"
        raise ValueError(message)
    with tempfile.TemporaryDirectory() as folder:
        for one in (path, *logs):
            shutil.copyfile(one, Path(folder) / one.name, follow_symlinks=False)
        with closing(_connect(Path(folder) / path.name, "mode=rw")) as connection:
            yield connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True)
    until = monotonic() + _SECONDS
    connection.set_progress_handler(lambda: monotonic() > until, _STEPS)
    for limit, value in (
        (sqlite3.SQLITE_LIMIT_LENGTH, 4 * LONGEST_TEXT),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0),
        (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 20),
    ):
        connection.setlimit(limit, value)
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _is_store(connection: sqlite3.Connection) -> bool:
    listed = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE %'"
    )
    return {*_TABLES} <= {name for (name,) in listed}


def _runs(connection: sqlite3.Connection) -> Iterator[ForeignRun]:
    rows = connection.execute(
        "SELECT runs.run_uuid, runs.name, runs.status, runs.start_time, runs.end_time, "
        "experiments.name FROM runs LEFT JOIN experiments USING (experiment_id) "
        "WHERE runs.lifecycle_stage = 'active' ORDER BY runs.start_time, runs.run_uuid "
        "LIMIT 100000"
    )
    for run, name, status, start, end, experiment in rows:
        title, group, state = (str(one or "")[:250] for one in (name, experiment, status))
        yield ForeignRun(str(run)[:32], title, group, state, _micros(start), _micros(end))


def _micros(value: Any) -> int | None:
    return value * 1000 if isinstance(value, int) and 0 < value < 10**15 else None


def _read_texts(
    connection: sqlite3.Connection, runs: dict[str, ForeignRun], budget: Budget
) -> None:
    for table in ("params", "tags"):
        rows = connection.execute(f"SELECT run_uuid, key, value FROM {table} ORDER BY 1, 2")  # noqa: S608
        for identifier, name, value in rows:
            run = runs.get(identifier)
            if run is None or not isinstance(name, str) or value is None:
                continue
            keep_text(budget, run.params if table == "params" else run.tags, name, str(value))


def _read_metrics(
    connection: sqlite3.Connection, runs: dict[str, ForeignRun], budget: Budget
) -> None:
    rows = connection.execute(
        "SELECT run_uuid, key, value, is_nan, step, timestamp FROM metrics ORDER BY rowid"
    )
    found: dict[tuple[str, str], list[tuple[int, int, float]]] = {}
    for identifier, name, value, nan, step, time in rows:
        point = _point(value, nan, step, time)
        if identifier not in runs or not isinstance(name, str):
            continue
        if point is None:
            budget.left_out += 1
            continue
        series = found.get((identifier, name))
        if series is None:
            if not budget.takes(name):
                continue
            series = found[identifier, name] = []
        if budget.takes_points():
            series.append(point)
    for (identifier, name), points in found.items():
        runs[identifier].metrics[name] = Points.of(points)


def _point(value: Any, nan: Any, step: Any, time: Any) -> tuple[int, int, float] | None:
    if not (isinstance(value, int | float) and isinstance(step, int) and isinstance(time, int)):
        return None
    if abs(time) >= 10**15:
        return None
    number = math.nan if nan else float(value)
    if abs(number) == INFINITY:
        number = math.copysign(math.inf, number)
    return step, time * 1000, number
