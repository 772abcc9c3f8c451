"""Measure the ledger side by side with MLflow's SQL store, on SQLite and on PostgreSQL.

    python -m benchmarks.ledger [--runs 10000] [--rows 10000000] [--mlflow FOLDER] [--no-postgres]

Both stores hold the same runs of 100 values, at the same durability (each one's settings are
printed), and answer by whole runs: every parameter and metric of at most 1,000 runs, MLflow's
default page. They take turns, operation by operation, so that other load meets both. The best of
three for queries and series, medians for recording. The column "process" starts a new process for
the operation; for a query it is `freeze runs list FILTER --json` as typed, and for MLflow a script
that does nothing but the query. A third ledger has as many rows of metrics as `--rows`; it takes
turns with the first one, and is compared with that. MLflow gets an environment of its own. With
`--first` what is measured has the highest priority, on both sides, once the ledgers are filled; it
needs root. Writes `RESULTS.md` next to this file.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.kept import idle
from benchmarks.ledger.report import Row, Section, report
from benchmarks.ledger.sides import MLFLOW, ROOT, Side, family, mlflow_python, mlflow_version
from benchmarks.ledger.workload import PAGE, QUERIES
from tests.support.host.postgres import BINARIES, Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SERIES = 100_000
"""Points of the series that is read."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of metrics, in the large one")
    parser.add_argument("--mlflow", type=Path, help="folder of its environment, made if missing")
    parser.add_argument("--requirement", default=MLFLOW, help="the MLflow to install")
    parser.add_argument("--no-postgres", action="store_true")
    parser.add_argument("--first", action="store_true", help="go before what others run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledger-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)  # PostgreSQL's user enters it
        python = mlflow_python(options.mlflow or folder / "mlflow", options.requirement)
        plan = Plan(folder, python, options.runs, options.rows, options.first)
        quiet = idle()
        sections = [_sqlite(plan)]
        if BINARIES and not options.no_postgres:
            with _server(folder / "postgres") as server:
                sections.append(_postgres(plan, server))
        text = report(sections, mlflow_version(python), plan.runs, quiet, first=plan.first)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


@dataclass(frozen=True)
class Plan:
    """What is measured, and where."""

    folder: Path
    python: str
    """Of MLflow's environment."""
    runs: int
    rows: int
    first: bool

    def prioritize(self, *others: int) -> None:
        """Let the processes that this one started, and others, go before all else."""
        if self.first:
            for process in family({os.getpid(), *others}):
                _set_priority(process, -20)

    def rest(self) -> None:
        """Let others go on while a ledger is filled."""
        if self.first:
            _set_priority(os.getpid(), 0)


def _set_priority(process: int, nice: int) -> None:
    """Set the priority of a process, and of its session among others: ``sched(7)``, autogroups."""
    with contextlib.suppress(OSError):  # it ended, or there are no autogroups
        os.setpriority(os.PRIO_PROCESS, process, nice)
        Path(f"/proc/{process}/autogroup").write_text(str(nice))


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[Postgres]:
    folder.mkdir()
    server = Postgres(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _sqlite(plan: Plan) -> Section:
    small, large = _project(plan.folder / "small"), _project(plan.folder / "large")
    theirs = f"sqlite:///{plan.folder}/mlflow.db"
    found = _compared(plan, "SQLite", small, str(small / ".freezer" / "ledger.db"), theirs)
    ours, many = (str(one / ".freezer" / "ledger.db") for one in (small, large))
    return _with_large(plan, found, ours, many)


def _postgres(plan: Plan, server: Postgres) -> Section:
    names = ("small", "large", "mlflow")
    for name in names:
        server.query(f"CREATE DATABASE {name}")
    small, large, other = (server.url.replace("/postgres", f"/{name}") for name in names)
    project = _project(plan.folder / "postgres-project", small)
    theirs = other.replace("postgresql:", "postgresql+psycopg2:")
    found = _compared(plan, "PostgreSQL", project, small, theirs, server.pid)
    return _with_large(plan, found, small, large, server.pid)


def _project(folder: Path, ledger: str | None = None) -> Path:
    (folder / ".freezer").mkdir(parents=True)
    if ledger:
        (folder / ".freezer.yaml").write_text(f"ledger: {ledger}\n")
    return folder


def _compared(
    plan: Plan, title: str, project: Path, url: str, theirs: str, *servers: int
) -> Section:
    """Measure both sides on one kind of database."""
    plan.rest()
    ours = Side(sys.executable, "freezer_side", url)
    mlflow = Side(plan.python, "mlflow_side", theirs)
    print(f"{title}: filling both with {plan.runs} runs", flush=True)
    ours.ask("fill", runs=plan.runs, points=0)
    mlflow.ask("fill", runs=plan.runs)
    plan.prioritize(*servers)
    section = Section(title, (ours.ask("settings"), mlflow.ask("settings")))
    for mine, spelled in QUERIES:
        section.rows.append(_query(project, ours, mlflow, mine, spelled))
        print(f"{title}: {mine}", flush=True)
    for name, order, count in (("record a run", "record", 30), ("add 1,000 metrics", "batch", 18)):
        row = Row(name)
        for _ in range(3):
            row.freezer += [tuple(one) for one in ours.ask(order, count=count // 3)]
            row.mlflow += [tuple(one) for one in mlflow.ask(order, count=max(3, count // 6))]
        row.process = (ours.fresh(order, count=1), mlflow.fresh(order, count=1))
        section.rows.append(row)
        print(f"{title}: {name}", flush=True)
    row = Row(f"read a series of {SERIES:,} points", target=0.2)
    for _ in range(3):
        row.freezer.append(tuple(ours.ask("series", points=SERIES)[:2]))
        row.mlflow.append(tuple(mlflow.ask("series", points=SERIES)[:2]))
    section.rows.append(row)
    ours.close()
    mlflow.close()
    return section


def _query(project: Path, ours: Side, mlflow: Side, mine: str, spelled: str | None) -> Row:
    row = Row(mine or "every run", target=0.1, query=True)
    ours.ask("query", filter=mine)
    for _ in range(3):
        wall, cpu, count, _ = ours.ask("query", filter=mine)
        row.freezer.append((wall, cpu))
        row.found = (count, None)
        if spelled is not None:
            wall, cpu, other, _ = mlflow.ask("query", filter=spelled)
            row.mlflow.append((wall, cpu))
            row.found = (count, other)
    if spelled is not None and row.found[0] != row.found[1]:
        message = f"the sides found other runs by {mine!r}: {row.found}"
        raise SystemExit(message)
    theirs = mlflow.fresh("query", filter=spelled) if spelled is not None else None
    row.process = (_command(project, mine), theirs)
    return row


def _command(project: Path, text: str) -> float:
    """Return the seconds of a query as it is typed."""
    words = ["runs", "list", *([text] if text else []), "--limit", str(PAGE), "--json"]
    started = perf_counter()
    command = [sys.executable, "-m", "freezer", "-C", str(project), *words]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return perf_counter() - started


def _with_large(plan: Plan, section: Section, small: str, large: str, *servers: int) -> Section:
    """Measure the same on a ledger with many rows of metrics, in turns with the small one."""
    plan.rest()
    sides = [Side(sys.executable, "freezer_side", url) for url in (small, large)]
    print(f"{section.title}: filling a ledger with {plan.rows} rows of metrics", flush=True)
    points = max(10, plan.rows // plan.runs)
    section.large = sides[1].ask("fill", runs=plan.runs, points=points)
    plan.prioritize(*servers)
    arguments: dict[str, Any]
    for row in section.rows:
        if row.query:
            text = "" if row.name == "every run" else row.name
            order, arguments, times = "query", {"filter": text}, 4
        elif row.target:
            order, arguments, times = "series", {"points": SERIES}, 3
        else:
            order = "record" if row.name.startswith("record") else "batch"
            arguments, times = {"count": 1}, 30
        took = [_in_turns(sides, order, arguments) for _ in range(times)]
        row.beside, row.large = (
            (min if row.target else median)(column) for column in zip(*took, strict=True)
        )
    for side in sides:
        side.close()
    return section


def _in_turns(sides: list[Side], order: str, arguments: dict[str, Any]) -> list[float]:
    """Return the seconds of one operation on each side."""
    answers = [side.ask(order, **arguments) for side in sides]
    return [float(one[0][0] if order in ("record", "batch") else one[0]) for one in answers]


if __name__ == "__main__":
    main()
