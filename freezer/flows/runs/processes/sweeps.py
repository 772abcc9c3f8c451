"""Detached sweeps: a state file next to each log, through which other commands find them.

Each has a file in the project's folder of records, a line of JSON for each thing that happens: the
process that starts its runs, each run's beginning and end, and its own end. While it is under way,
the file has a name of its own, so that others need not be read to find it. Its runs are in the
ledger like all others, linked to it (``links.sweep``).
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from freezer.engine.run.process import is_dead, this_process
from freezer.errors import EXIT_INTERRUPTED, EXIT_NEGATIVE, QueryError, RunError
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.runs.folders import FOLDER, LIVE_SWEEP, sweeps_in
from freezer.flows.support.clock import now_micros
from freezer.model.record.run import Time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.model.record.run import Run, Value

PREFIX: Final = "sweep-"
"""Prefix of a sweep's ID, so that it is not taken for a run's."""
FORMAT: Final = 1
ON_CLUSTER: Final = "slurm"
"""In the owner of what runs as jobs: their name."""
_ENDED: Final = ".jsonl"
_LARGEST: Final = 64 << 20
"""Bytes of a file that is read: 10,000 runs take a few."""


@dataclass(frozen=True)
class SweepRun:
    """One run of a sweep that was started."""

    label: str
    """What its lines in the log begin with."""
    run: str | None = None
    """Its ID; None where it did not begin yet, or could not."""
    exit_code: int | None = None
    """None while it runs."""


@dataclass(frozen=True)
class Sweep:
    """A detached sweep."""

    id: str
    environment: str | None
    """As it was given on the command line."""
    state: str
    """As of a run: ``running``, ``finished``, ``failed`` or ``interrupted``."""
    started: Time
    total: int
    """Runs that it has to make."""
    command: tuple[str, ...]
    """Before values are put in; without secrets."""
    ended: Time | None = None
    runs: tuple[SweepRun, ...] = ()
    owner: Mapping[str, Value] = field(default_factory=dict)
    """The process that starts its runs."""

    @property
    def begun(self) -> tuple[str, ...]:
        """The IDs of its runs so far."""
        return tuple(one.run for one in self.runs if one.run is not None)


def new_sweep_id() -> str:
    """Return the ID of a new sweep."""
    return f"{PREFIX}{secrets.token_hex(8)}"


def is_sweep(name: str) -> bool:
    """Return whether a name on the command line is that of a sweep."""
    return name.startswith(PREFIX)


def sweep_log(project: Project, identifier: str) -> Path:
    """Return where the log of a sweep is."""
    return _folder(project) / f"{identifier}.log"


def get_sweep(project: Project, name: str) -> Sweep:
    """Return a sweep by the first digits of its ID. Raises ``RunError``.

    One whose process was killed is ``interrupted`` from now on.
    """
    names = {path.stem for ending in (LIVE_SWEEP, _ENDED) for path in _files(project, ending)}
    found = sorted(one for one in names if one.startswith(name))
    if name == PREFIX or len(found) != 1:
        raise RunError(
            f"several sweeps begin with {name!r}"
            if found
            else f"there is no sweep {name!r} on this host",
            expected="the first digits of the ID of a sweep that was started with --detach",
            hint="`freeze runs list` names those under way; "
            "\"links.sweep = 'ID'\" finds the runs of any",
        )
    for ending in (LIVE_SWEEP, _ENDED, _ENDED):  # it may end meanwhile
        sweep = _read(_folder(project) / f"{found[0]}{ending}")
        if sweep is not None:
            return _settled(project, sweep)
    raise RunError(f"the record of {found[0]} cannot be read", hint=f"look at {FOLDER}/sweeps")


def sweeps_under_way(project: Project) -> list[Sweep]:
    """Return the sweeps that run, the latest first; those of dead processes are marked."""
    read = (_read(path) for path in _files(project, LIVE_SWEEP))
    found = [_settled(project, one) for one in read if one is not None]
    running = (one for one in found if one.state == "running")
    return sorted(running, key=lambda one: one.started, reverse=True)


def sweep_document(sweep: Sweep) -> dict[str, Any]:
    """Return the facts of a sweep for JSON."""
    return {
        "sweep": sweep.id,
        "environment": sweep.environment,
        "state": sweep.state,
        "started": str(sweep.started),
        "ended": None if sweep.ended is None else str(sweep.ended),
        "total": sweep.total,
        "command": list(sweep.command),
        "runs": [
            {"id": one.run, "label": one.label, "exit-code": one.exit_code} for one in sweep.runs
        ],
    }


class SweepRecord:
    """Writes the state file of a sweep, in the process that makes it, from its first run on."""

    def __init__(self, project: Project, sweep: Sweep, labels: Sequence[str]) -> None:
        self._project = project
        self._sweep = sweep
        self._labels = labels
        self._path = _folder(project) / f"{sweep.id}{LIVE_SWEEP}"
        self._started = False

    def began(self, number: int, run: str) -> None:
        """Write that a run began; raises ``HostError`` if the first one cannot be written."""
        line = {"number": number, "label": self._labels[number], "run": run}
        if self._started:
            self._add(line)
            return
        head = {
            "format": FORMAT,
            "sweep": self._sweep.id,
            "environment": self._sweep.environment,
            "started": self._sweep.started.micros,
            "total": self._sweep.total,
            "command": list(self._sweep.command),
            "owner": dict(self._sweep.owner) or this_process(),
        }
        with disk_errors(self._project.root):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _append(self._path, head, line)
        self._started = True

    def ended(self, number: int, exit_code: int) -> None:
        """Write how a run ended."""
        self._add({"number": number, "label": self._labels[number], "exit": exit_code})

    def end(self, codes: Sequence[int]) -> None:
        """Write the sweep's final state, from the exit codes of the runs that were started."""
        if self._started:
            with suppress(OSError):
                _end(self._path, _final(codes, self._sweep.total))

    def _add(self, line: Mapping[str, Any]) -> None:
        if self._started:
            with suppress(OSError):  # a full disk ends no run: the ledger has each
                _append(self._path, line)


def _append(path: Path, *lines: Mapping[str, Any]) -> None:
    with path.open("ab") as stream:
        stream.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


def _end(path: Path, state: str, ended: int | None = None) -> None:
    """Write the end of a sweep, now by default, and rename its file to that of an ended one."""
    _append(path, {"state": state, "ended": now_micros() if ended is None else ended})
    path.rename(path.with_suffix(_ENDED))


def _settled(project: Project, sweep: Sweep) -> Sweep:
    """Return a sweep; one whose process is dead is marked as interrupted, if it can be written."""
    if sweep.state == "running" and ON_CLUSTER in sweep.owner:
        return _collected(project, sweep)
    if sweep.state != "running" or not is_dead(sweep.owner):
        return sweep
    ended = max(now_micros(), sweep.started.micros)  # the host's clock may have been set back
    with suppress(OSError):
        _end(_folder(project) / f"{sweep.id}{LIVE_SWEEP}", "interrupted", ended)
    return replace(sweep, state="interrupted", ended=Time(ended))


def _collected(project: Project, sweep: Sweep) -> Sweep:
    """Return a sweep on a cluster with the exit codes of its runs that the ledger has so far.

    It has ended when none of its runs waits for a result.
    """
    from freezer.flows.runs.ledger import project_ledger  # loads SQLAlchemy
    from freezer.ledger import query

    found: list[Run] = []
    with project_ledger(project) as ledger, suppress(QueryError):  # none is recorded yet
        found = query.find(ledger, f"links.sweep = '{sweep.id}'", limit=None)
    codes = {run.id: _code(run) for run in found if run.state != "running"}
    runs = tuple(replace(one, exit_code=codes.get(one.run or "")) for one in sweep.runs)
    sweep = replace(sweep, runs=runs)
    if any(one.exit_code is None for one in runs):
        return sweep
    path = _folder(project) / f"{sweep.id}{LIVE_SWEEP}"
    state = _final([one.exit_code or 0 for one in runs], sweep.total)
    ended = max(now_micros(), sweep.started.micros)  # another host's clock may be ahead
    with suppress(OSError):
        events = [
            {"number": at, "label": one.label, "exit": one.exit_code} for at, one in enumerate(runs)
        ]
        _append(path, *events)
        _end(path, state, ended)
    return replace(sweep, state=state, ended=Time(ended))


def _code(run: Run) -> int:
    if run.exit_code is not None and run.state != "failed":
        return run.exit_code
    return run.exit_code or (EXIT_INTERRUPTED if run.state == "interrupted" else EXIT_NEGATIVE)


def _final(codes: Sequence[int], total: int) -> str:
    if EXIT_INTERRUPTED in codes:
        return "interrupted"
    return "failed" if any(codes) or len(codes) < total else "finished"


def _folder(project: Project) -> Path:
    return sweeps_in(project.root)


def _files(project: Project, ending: str) -> list[Path]:
    return list(_folder(project).glob(f"{PREFIX}*{ending}"))


def _read(path: Path) -> Sweep | None:
    """Return the sweep of a state file; None if the file is missing or invalid."""
    try:
        with path.open("rb") as stream:
            head, *lines = stream.read(_LARGEST).splitlines()
        sweep = _begun(json.loads(head))
        return _with_lines(sweep, lines) if path.stem == sweep.id else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _begun(head: Mapping[str, Any]) -> Sweep:
    if head["format"] != FORMAT:
        raise ValueError(head["format"])
    return Sweep(
        id=str(head["sweep"]),
        environment=head["environment"],
        state="running",
        started=Time(int(head["started"])),
        total=int(head["total"]),
        command=tuple(map(str, head["command"])),
        owner=dict(head["owner"]),
    )


def _with_lines(sweep: Sweep, lines: Iterable[bytes]) -> Sweep:
    """Return a sweep with the events of its file; an incomplete line is skipped."""
    runs: dict[int, SweepRun] = {}
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if "state" in found:
            sweep = replace(sweep, state=str(found["state"]), ended=Time(int(found["ended"])))
            continue
        known = runs.get(found["number"], SweepRun(str(found["label"])))
        runs[found["number"]] = replace(
            known, run=found.get("run", known.run), exit_code=found.get("exit", known.exit_code)
        )
    return replace(sweep, runs=tuple(runs[number] for number in sorted(runs)))
