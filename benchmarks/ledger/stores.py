"""The stores that are measured: filled once, kept, and copied for each measurement."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.ledger.sides import Side, family
from freezer.ledger import schema
from tests.support.host.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Plan:
    """What is measured, and where."""

    folder: Path
    """Of MLflow's environment and the filled stores."""
    python: str
    """Of MLflow's environment."""
    runs: int
    rows: int
    """Of metrics, in the large ledger."""
    first: bool

    def prioritize(self, *servers: int) -> None:
        """Let the processes that this one started, and servers, go before all else."""
        if self.first:
            for process in family({os.getpid(), *servers}):
                _set_priority(process, -20)

    def rest(self) -> None:
        """Let others go on while a store is filled."""
        if self.first:
            _set_priority(os.getpid(), 0)

    @property
    def version(self) -> str:
        """What decides the content of the filled stores."""
        files = [HERE / name for name in ("workload.py", "freezer_side.py", "mlflow_side.py")]
        data = b"".join(one.read_bytes() for one in (*files, Path(str(schema.__file__))))
        return f"{self.runs}_{hashlib.sha256(data).hexdigest()[:8]}"


def _set_priority(process: int, nice: int) -> None:
    """Set the priority of a process, and of its session among others: ``sched(7)``, autogroups."""
    with contextlib.suppress(OSError):  # it ended, or there are no autogroups
        os.setpriority(os.PRIO_PROCESS, process, nice)
        Path(f"/proc/{process}/autogroup").write_text(str(nice))


@dataclass(frozen=True)
class Pair:
    """Both sides on one kind of database, filled with the same runs."""

    project: Path
    """A project with Freezer's ledger, for commands."""
    ours: Side
    theirs: Side
    large: Side | None
    """Freezer's side with many rows of metrics, where that is measured."""
    rows: int
    servers: tuple[int, ...] = ()
    """Processes of the database's server."""

    def close(self) -> None:
        """End all sides."""
        for side in (self.ours, self.theirs, self.large):
            if side:
                side.close()


@contextlib.contextmanager
def opened(plan: Plan, store: str, *, large: bool) -> Iterator[Pair]:
    """Open copies of both sides' filled stores; they are filled first where they are not there."""
    with tempfile.TemporaryDirectory(dir=plan.folder, prefix="copy-") as scratch:
        copies = Path(scratch)
        with (_sqlite if store == "sqlite" else _postgres)(plan, copies, large=large) as pair:
            yield pair


@contextlib.contextmanager
def _sqlite(plan: Plan, copies: Path, *, large: bool) -> Iterator[Pair]:
    project = _project(copies / "project")
    ledger = project / ".freezer" / "ledger.db"
    files = {"ours": ledger, "theirs": copies / "mlflow.db", "large": copies / "large.db"}
    for name, copy in files.items():
        if name == "large" and not large:
            continue
        kept = plan.folder / f"{_kept_name(plan, name)}.db"
        if not kept.exists():
            made = copies / f"filling-{name}.db"
            _fill(plan, name, f"sqlite:///{made}" if name == "theirs" else str(made))
            made.rename(kept)
        shutil.copy(kept, copy)
    os.sync()
    url = f"sqlite:///{files['theirs']}"
    pair = _pair(plan, project, str(ledger), url, str(files["large"]) if large else None)
    yield pair
    pair.close()


@contextlib.contextmanager
def _postgres(plan: Plan, copies: Path, *, large: bool) -> Iterator[Pair]:
    folder = plan.folder / "postgres"
    folder.mkdir(exist_ok=True)
    server = Postgres(folder)
    server.start()
    try:
        urls = {}
        for name in ("ours", "theirs", *(["large"] if large else [])):
            kept = _kept_name(plan, name)
            if not server.has(kept):
                server.query(f"DROP DATABASE IF EXISTS filling_{name}")
                server.query(f"CREATE DATABASE filling_{name}")
                _fill(plan, name, _url(server, name, f"filling_{name}"))
                server.query(f"ALTER DATABASE filling_{name} RENAME TO {kept}")
            server.query(f"DROP DATABASE IF EXISTS {name}")
            server.query(f"CREATE DATABASE {name} TEMPLATE {kept}")
            urls[name] = _url(server, name, name)
        server.query("CHECKPOINT")
        project = _project(copies / "project", urls["ours"])
        pair = _pair(plan, project, urls["ours"], urls["theirs"], urls.get("large"), server.pid)
        yield pair
        pair.close()
    finally:
        server.stop("fast")


def _kept_name(plan: Plan, name: str) -> str:
    return f"{name}_{plan.version}" + (f"_{plan.rows}" if name == "large" else "")


def _url(server: Postgres, name: str, database: str) -> str:
    url = server.url.removesuffix("/postgres") + f"/{database}"
    return url.replace("postgresql:", "postgresql+psycopg2:") if name == "theirs" else url


def _pair(
    plan: Plan, project: Path, ours: str, theirs: str, large: str | None, *servers: int
) -> Pair:
    sides = Side(sys.executable, "freezer_side", ours), Side(plan.python, "mlflow_side", theirs)
    many = Side(sys.executable, "freezer_side", large) if large else None
    return Pair(project, *sides, many, plan.rows, servers)


def _fill(plan: Plan, name: str, url: str) -> None:
    print(f"filling {name} with {plan.runs} runs", flush=True)
    if name == "theirs":
        side, more = Side(plan.python, "mlflow_side", url), {}
    else:
        points = max(10, plan.rows // plan.runs) if name == "large" else 0
        side, more = Side(sys.executable, "freezer_side", url), {"points": points}
    side.ask("fill", runs=plan.runs, **more)
    side.close()


def _project(folder: Path, ledger: str | None = None) -> Path:
    (folder / ".freezer").mkdir(parents=True)
    if ledger:
        (folder / ".freezer.yaml").write_text(f"ledger: {ledger}\n")
    return folder
