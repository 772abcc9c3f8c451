"""Measure the ledger side by side with MLflow's SQL store, on SQLite and on PostgreSQL.

    python -m benchmarks.ledger [--only record,batch,series,queries,large] [--store postgresql]
        [--folder FOLDER] [--runs 10000] [--rows 10000000] [--first]

Both stores hold the same runs of 100 values, on the same disk and server, at the same durability
(each one's settings are printed), and answer by whole runs: every parameter and metric of at most
1,000 runs, MLflow's default page. Both are processes that run already and have done the same
before; they take turns, operation by operation, so that other load meets both.

``record``  a run of 5 metrics and 10 parameters, a batch of operations at a time: the median of
            each of five repeats, and the median of those. In turns with both: a durable insert of
            one row by the database's driver alone, which is what the disk takes of either side.
``batch``   1,000 metrics added to a run, in the same way
``series``  a series of 100,000 points: the best of three
``queries`` each kind of filter: the best of three
``large``   the same in a ledger with as many rows of metrics as ``--rows``, in turns with the one
            that is compared with MLflow's

The column "as a process" starts a new process for the operation; for a query it is `freeze runs
list FILTER --json` as typed, and for MLflow a script that does nothing but the query.

Each part of each store is kept with its date in `measured.json` until it is measured again, and
`RESULTS.md` is written of all of them. ``--folder`` keeps MLflow's environment and the filled
stores, so that the next part is measured at once. With ``--first`` what is measured has the highest
priority, on both sides; it needs root.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.kept import idle, merge
from benchmarks.ledger.measure import PARTS, measure
from benchmarks.ledger.report import STORES, report
from benchmarks.ledger.sides import MLFLOW, mlflow_python, mlflow_version
from benchmarks.ledger.stores import Pair, Plan, opened
from freezer import __version__
from freezer.inside.freezer_inside.fingerprint import cpu_info
from tests.support.host.postgres import BINARIES

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=_some_of(PARTS), default=list(PARTS), metavar="PART,…")
    parser.add_argument(
        "--store", type=_some_of(tuple(STORES)), default=list(STORES), metavar="STORE,…"
    )
    parser.add_argument("--folder", type=Path, help="keeps the filled stores; made if missing")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of metrics, in the large one")
    parser.add_argument("--requirement", default=MLFLOW, help="the MLflow to install")
    parser.add_argument("--first", action="store_true", help="go before what others run")
    options = parser.parse_args()
    stores = [one for one in options.store if one != "postgresql" or BINARIES]
    with tempfile.TemporaryDirectory(prefix="ledger-") as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for one in (folder, Path(scratch)):
            one.chmod(0o755)  # PostgreSQL's user enters it
        python = mlflow_python(folder / "mlflow", options.requirement)
        here = _machine(mlflow_version(python))
        for store in stores:
            plan = Plan(folder.absolute(), python, options.runs, options.rows, options.first)
            with opened(plan, store, large="large" in options.only) as pair:
                for part in options.only:
                    _measured(plan, store, part, pair, here)
    print((HERE / "RESULTS.md").read_text())


def _measured(plan: Plan, store: str, part: str, pair: Pair, here: str) -> None:
    """Measure one part, and keep it; write the page with it."""
    about: dict[str, Any]
    about = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "idle": idle(), "first": plan.first}
    about["runs"] = plan.runs
    plan.prioritize(*pair.servers)
    found = {f"{store}/{part}": {**about, **measure(part, pair)}}
    plan.rest()
    order = [f"{one}/{another}" for one in STORES for another in PARTS]
    kept = merge(HERE / "measured.json", here, found, order)
    (HERE / "RESULTS.md").write_text(report(kept, here))


def _machine(mlflow: str) -> str:
    """Return what measurements of one page have in common: the machine, and the versions."""
    facts = cpu_info(Path("/proc/cpuinfo").read_text())
    cpu = facts.get("model name", platform.processor())
    return (
        f"{os.cpu_count()} cores of {cpu}, with Freezer {__version__}, MLflow {mlflow}, "
        f"Python {platform.python_version()}"
    )


def _some_of(known: tuple[str, ...]) -> Any:
    """Return a parser for some words of a list, separated by commas, in the list's order."""

    def parsed(text: str) -> list[str]:
        words = text.split(",")
        if unknown := [one for one in words if one not in known]:
            message = f"{', '.join(unknown)}: not one of {', '.join(known)}"
            raise argparse.ArgumentTypeError(message)
        return [one for one in known if one in words]

    return parsed


if __name__ == "__main__":
    main()
