"""One part of the benchmark, measured on both sides of one kind of database."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from itertools import cycle, islice, permutations
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from benchmarks.ledger.report import EVERY_RUN, Row
from benchmarks.ledger.sides import ROOT
from benchmarks.ledger.workload import PAGE, QUERIES

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.ledger.sides import Side
    from benchmarks.ledger.stores import Pair

PARTS: Final = ("record", "batch", "series", "queries", "large")
SERIES: Final = 100_000
"""Points of the series that is read."""
WRITES: Final = {"record": "record a run", "batch": "add 1,000 metrics"}
"""The parts that write, and what one operation is."""
REPEATS: Final = 5
TURNS: Final = 12
"""Operations of each side in one repeat: each order of the three twice, since a disk is slower
right after the many commits of another."""
WARM: Final = 6
"""Operations of each side before the first that counts."""


def measure(part: str, pair: Pair) -> dict[str, Any]:
    """Measure one of `PARTS`; return what is kept of it."""
    print(f"measuring {part}", flush=True)
    if part == "large":
        return {"metrics": pair.rows, "large": _large(pair)}
    settings = [pair.ours.ask("settings"), pair.theirs.ask("settings")]
    if part == "queries":
        rows = [_query(pair, mine, spelled) for mine, spelled in QUERIES]
    else:
        rows = [_write(pair, part) if part in WRITES else _series(pair)]
    return {"settings": settings, "rows": [asdict(row) for row in rows]}


def _write(pair: Pair, order: str) -> Row:
    """Measure an operation that writes, in turns: theirs, ours, and the bound of both."""
    sides = {"freezer": (pair.ours, order), "mlflow": (pair.theirs, order)}
    sides["bound"] = (pair.ours, "bound")
    row = Row(WRITES[order])
    for side, name in sides.values():
        side.ask(name, count=WARM)
    for _ in range(REPEATS):
        took: dict[str, list[list[float]]] = {name: [] for name in sides}
        for order_of_turn in islice(cycle(permutations(sides)), TURNS):
            for name in order_of_turn:
                side, do = sides[name]
                took[name] += side.ask(do, count=1)
        for name, some in took.items():
            columns = tuple(median(one) for one in zip(*some, strict=True))
            getattr(row, name).append(columns)
    row.process = (_as_process(pair.ours, order), _as_process(pair.theirs, order))
    return row


def _as_process(side: Side, order: str) -> float:
    return median(side.fresh(order, count=1) for _ in range(3))


def _series(pair: Pair) -> Row:
    row = Row(f"read a series of {SERIES:,} points", target=0.2)
    for _ in range(3):
        row.freezer.append(tuple(pair.ours.ask("series", points=SERIES)[:2]))
        row.mlflow.append(tuple(pair.theirs.ask("series", points=SERIES)[:2]))
    return row


def _query(pair: Pair, mine: str, spelled: str | None) -> Row:
    row = Row(mine or EVERY_RUN, target=0.1, query=True)
    pair.ours.ask("query", filter=mine)
    for _ in range(3):
        wall, cpu, count, _ = pair.ours.ask("query", filter=mine)
        row.freezer.append((wall, cpu))
        row.found = (count, None)
        if spelled is not None:
            wall, cpu, other, _ = pair.theirs.ask("query", filter=spelled)
            row.mlflow.append((wall, cpu))
            row.found = (count, other)
    if spelled is not None and row.found[0] != row.found[1]:
        message = f"the sides found other runs by {mine!r}: {row.found}"
        raise SystemExit(message)
    theirs = pair.theirs.fresh("query", filter=spelled) if spelled is not None else None
    row.process = (_command(pair.project, mine), theirs)
    return row


def _command(project: Path, text: str) -> float:
    """Return the seconds of a query as it is typed."""
    words = ["runs", "list", *([text] if text else []), "--limit", str(PAGE), "--json"]
    started = perf_counter()
    command = [sys.executable, "-m", "freezer", "-C", str(project), *words]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return perf_counter() - started


def _large(pair: Pair) -> dict[str, list[float]]:
    """Return the seconds of each operation in the large ledger, and in the other one beside it."""
    assert pair.large is not None
    sides = [pair.large, pair.ours]
    found: dict[str, list[float]] = {}
    for order, name in WRITES.items():
        took = [[side.ask(order, count=1)[0][0] for side in sides] for _ in range(30)]
        found[name] = [median(one) for one in zip(*took, strict=True)]
    reads: list[tuple[str, str, dict[str, Any]]]
    reads = [(text or EVERY_RUN, "query", {"filter": text}) for text, _ in QUERIES]
    reads.append((f"read a series of {SERIES:,} points", "series", {"points": SERIES}))
    for name, order, arguments in reads:
        took = [[side.ask(order, **arguments)[0] for side in sides] for _ in range(4)]
        found[name] = [min(one) for one in zip(*took, strict=True)]
    return found
