"""Freezer's side: ``python -m benchmarks.ledger.freezer_side URL``."""

from __future__ import annotations

import secrets
import sqlite3
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from benchmarks.ledger.workload import PAGE, example, serve, timed
from freezer.ledger.connect import Ledger, open_ledger
from freezer.ledger.query import all_points, find
from freezer.ledger.record import append, record, record_many
from freezer.ledger.series import Points
from freezer.model.record.run import Digest, Run, Time, Value

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 250
"""Runs of one transaction while the ledger is filled."""


def main() -> None:
    url = sys.argv[1]
    ledger = open_ledger(url if "://" in url else Path(url))
    work: dict[str, Callable[..., Any]] = {
        "settings": settings, "fill": fill, "record": record_runs, "batch": Batches(),
        "query": query, "series": series, "bound": Bound(url),
    }  # fmt: skip
    serve({name: partial(one, ledger) for name, one in work.items()})
    ledger.close()


class Bound:
    """A durable insert of one row by the driver alone: no recording can take less."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._execute: Callable[..., Any] | None = None
        self._insert = ""

    def __call__(self, _ledger: Ledger, count: int) -> list[tuple[float, float]]:
        """Insert rows, one at a time."""
        execute = self._execute or self._open()
        row = secrets.token_hex(1000)  # as long as a small run's document
        return [timed(partial(execute, self._insert, (row,)))[:2] for _ in range(count)]

    def _open(self) -> Callable[..., Any]:
        if "://" in self._url:
            import psycopg

            self._insert = "INSERT INTO bound (document) VALUES (%s)"
            self._execute = psycopg.connect(self._url, autocommit=True).execute
            self._execute("CREATE TABLE bound (id BIGSERIAL PRIMARY KEY, document TEXT)")
            return self._execute
        self._insert = "INSERT INTO bound (document) VALUES (?)"
        self._execute = sqlite3.connect(f"{self._url}-bound", isolation_level=None).execute
        for one in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"):
            self._execute(one)
        self._execute("CREATE TABLE bound (id INTEGER PRIMARY KEY, document TEXT)")
        return self._execute


def settings(ledger: Ledger) -> str:
    if ledger.engine.dialect.name != "sqlite":
        with ledger.read() as connection:
            found = connection.scalar(text("SHOW synchronous_commit"))
        return f"synchronous_commit={found}"
    with ledger.read() as connection:
        level = connection.scalar(text("PRAGMA synchronous"))
        mode = connection.scalar(text("PRAGMA journal_mode"))
    return f"journal_mode={mode}, synchronous={['OFF', 'NORMAL', 'FULL', 'EXTRA'][int(level)]}"


def fill(ledger: Ledger, runs: int, points: int) -> int:
    """Record runs, each with so many points in ten series; return the rows of metrics."""
    for start in range(0, runs, BLOCK):
        some = range(start, min(start + BLOCK, runs))
        record_many(ledger, [(_run(one), _points(points // 10), ()) for one in some])
    return runs * points


def record_runs(ledger: Ledger, count: int) -> list[tuple[float, float]]:
    """Record runs of 5 metrics and 10 parameters."""
    took = []
    for _ in range(count):
        fields: dict[str, Value] = {f"params.p{one}": one / 7 for one in range(10)}
        fields |= {f"metrics.m{one}": one / 3 for one in range(5)}
        series = {f"metrics.m{one}": Points.of([(0, 0, one / 3)]) for one in range(5)}
        made = Run(secrets.token_hex(8), "bench", "finished", Time(0), fields=fields)
        took.append(timed(partial(record, ledger, made, series))[:2])
    return took


class Batches:
    """Adds batches of 1,000 points, 100 to each of ten series, to one run."""

    def __init__(self) -> None:
        self._run = ""
        self._step = 0

    def __call__(self, ledger: Ledger, count: int) -> list[tuple[float, float]]:
        """Add batches after those that are there."""
        if not self._run:
            self._run = secrets.token_hex(8)
            record(ledger, Run(self._run, "bench", "finished", Time(0)))
        took = []
        for _ in range(count):
            metrics = _points(100, self._step)
            self._step += 100
            took.append(timed(partial(append, ledger, self._run, metrics))[:2])
        return took


def query(ledger: Ledger, filter: str) -> tuple[float, float, int, int]:  # noqa: A002 - as given
    """Answer a query; also return how many runs and values came."""

    def work() -> list[Run]:
        return find(ledger, filter, limit=PAGE)

    wall, cpu, found = timed(work)
    return wall, cpu, len(found), sum(len(one.fields) for one in found)


def series(ledger: Ledger, points: int) -> tuple[float, float, int]:
    """Read a series of so many points."""
    made = Run(secrets.token_hex(8), "bench", "finished", Time(0))
    whole = Points.of([(step, step * 1000, step / 3) for step in range(points)])
    record(ledger, made, {"metrics.loss": whole})
    wall, cpu, found = timed(lambda: all_points(ledger, made.id)["metrics.loss"])
    if found != whole:
        raise AssertionError("the series came back otherwise")
    return wall, cpu, len(found)


def _points(each: int, start: int = 0) -> dict[str, Points]:
    if not each:
        return {}
    steps = range(start, start + each)
    return {
        f"metrics.m{one}": Points.of([(step, step * 1000, step / (one + 3)) for step in steps])
        for one in range(10)
    }


def _run(number: int) -> Run:
    made = example(number)
    fields: dict[str, Value] = {
        f"params.{name}": _typed(text) for name, text in made.params.items()
    }
    fields |= {f"metrics.{name}": value for name, value in made.metrics.items()}
    fields |= {"lock": Digest(made.lock), "data.train": Digest(made.data)}
    fields["seed"] = fields.pop("params.seed")
    start = made.started * 1_000_000
    more: dict[str, Any] = {"ended": Time(start + 60_000_000), "exit_code": 0}
    return Run(
        secrets.token_hex(8), "demo", made.status, Time(start), ("python",), fields=fields, **more
    )


def _typed(text: str) -> Value:
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return text


if __name__ == "__main__":
    main()
