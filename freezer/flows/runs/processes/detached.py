"""Detached runs and sweeps: their logs, and how another command follows them or ends them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from freezer.engine.run.process import is_alive, is_dead, is_visible
from freezer.errors import RunError
from freezer.fetch.http.secret_words import redact_text
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.runs.folders import run_folder
from freezer.flows.runs.killed import settle
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.processes.child import report_start
from freezer.flows.runs.processes.lines import LONGEST
from freezer.flows.runs.processes.sweeps import get_sweep, is_sweep, sweep_log
from freezer.flows.runs.queries import get
from freezer.flows.runs.request import recorded_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.flows.runs.processes.sweeps import Sweep
    from freezer.flows.runs.request import RunRequest
    from freezer.model.record.run import Run, Value

LOG: Final = "log"
PATIENCE: Final = 60.0
"""Seconds that a run has to end, and to be recorded."""
_PAUSE: Final = 0.2
_BLOCK: Final = 1 << 16


def log_path(project: Project, identifier: str) -> Path:
    """Return where the log of a detached run is."""
    return run_folder(project, identifier) / LOG


class DetachedOutput:
    """Leaves the terminal when a run or sweep begins: from then on all output goes to its log.

    Secrets that the commands got do not reach the log; lines are held back until they end.
    """

    def __init__(self, project: Project, requests: Iterable[RunRequest], descriptor: int) -> None:
        self._project = project
        secrets = (one for request in requests for one in recorded_command(request, 0)[1])
        self._secrets = tuple(dict.fromkeys(secrets))
        self._report = descriptor
        self._held: dict[int, bytes] = {}

    def started(self, run: Run) -> None:
        """Leave the terminal for the log of a run."""
        self.leave(log_path(self._project, run.id), run.id)

    def leave(self, path: Path, identifier: str) -> None:
        """Put a log in the place of stdout and stderr, then let the caller go."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        with disk_errors(self._project.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            log = os.open(path, flags, 0o600)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
        report_start(self._report, identifier)

    def show(self, stream: int, data: bytes) -> None:
        """Write complete lines to the log."""
        lines, mark, rest = (self._held.get(stream, b"") + data).rpartition(b"\n")
        if len(rest) > LONGEST:
            lines, mark, rest = lines + mark + rest, b"", b""
        self._held[stream] = rest
        self._write(lines + mark)

    def end(self) -> None:
        """Write the unterminated last lines."""
        for rest in self._held.values():
            self._write(rest)
        self._held.clear()

    def _write(self, data: bytes) -> None:
        text = redact_text(data.decode("utf-8", "surrogateescape"), self._secrets)
        left = text.encode("utf-8", "surrogateescape")
        with suppress(OSError):  # the disk of the log is full: the run goes on
            while left:
                left = left[os.write(1, left) :]


def follow(project: Project, run: Run, *, wait: bool) -> Iterator[bytes]:
    """Yield what a run printed, and with ``wait`` what it prints until it ends.

    Of a run that was not detached these are its last lines. Raises ``RunError`` for one that runs
    elsewhere or at another terminal.
    """
    path = log_path(project, run.id)
    sweep = run.links.get("sweep", "")
    if is_sweep(sweep) and sweep_log(project, sweep).is_file():
        yield from _of_sweep(project, run, sweep, wait=wait)
        return
    if not path.is_file():
        if run.state == "running":
            raise RunError(
                f"run {run.id} has no log on this host",
                found=f"it runs on {run.owner.get('host', 'another host')}, at a terminal",
                expected="a run that was started with --detach on this host",
            )
        yield _tail(run)
        return
    yield from _read(path, lambda: wait and _runs(run))


def _tail(run: Run) -> bytes:
    return f"{run.tail}\n".encode("utf-8", "backslashreplace") if run.tail else b""


def follow_sweep(project: Project, name: str, *, wait: bool) -> Iterator[bytes]:
    """Yield what the runs of a detached sweep printed, and with ``wait`` until it ends."""
    sweep = get_sweep(project, name)
    path = sweep_log(project, sweep.id)
    if not path.is_file():
        raise RunError(f"the log of {sweep.id} is not on this host", found=f"no file {path}")
    yield from _read(
        path, lambda: wait and _goes_on(sweep) and _goes_on(get_sweep(project, sweep.id))
    )


def _of_sweep(project: Project, run: Run, sweep: str, *, wait: bool) -> Iterator[bytes]:
    """Yield the lines of one run in the log of its sweep, without the label before each."""
    kept = next((one for one in get_sweep(project, sweep).runs if one.run == run.id), None)
    if kept is None or (kept.exit_code is None and run.state != "running"):
        yield _tail(run)  # it went on without its sweep
        return
    mark, held = f"{kept.label} ".encode(), b""
    for data in _read(sweep_log(project, sweep), lambda: wait and _runs(run)):
        *lines, held = (held + data).split(b"\n")
        for line in lines:
            if line.startswith(mark):
                yield line.removeprefix(mark) + b"\n"


def _read(path: Path, goes_on: Callable[[], bool]) -> Iterator[bytes]:
    """Yield what is in a log, and what is added as long as its writer goes on."""
    with path.open("rb") as stream:
        while True:
            ended = not goes_on()  # looked at first: what it printed last is read
            while data := stream.read(_BLOCK):
                yield data
            if ended:
                return
            time.sleep(_PAUSE)


def stop_sweep(project: Project, name: str) -> Sweep:
    """End a detached sweep of this host and its runs as Ctrl-C does; return it when all ended.

    Runs that go on without it, as its process was killed, are ended as well. Raises ``RunError`` as
    `stop` does.
    """
    sweep = get_sweep(project, name)
    if sweep.state == "running" and not is_visible(sweep.owner):
        raise RunError(
            f"{sweep.id} cannot be ended from here",
            found=f"it runs on {sweep.owner.get('host', 'a host that is not recorded')}",
            hint=f"run `freeze runs stop {sweep.id}` there",
        )
    deadline = time.monotonic() + PATIENCE
    if sweep.state == "running":
        _terminate(sweep.id, sweep.owner)
    while _goes_on(sweep):
        if time.monotonic() > deadline:
            raise _does_not_end(sweep.id, sweep.owner)
        time.sleep(_PAUSE / 4)
    for identifier in sweep.begun:
        stop(project, identifier)
    return get_sweep(project, sweep.id)


def _goes_on(sweep: Sweep) -> bool:
    return sweep.state == "running" and not is_dead(sweep.owner)


def stop(project: Project, name: str) -> Run:
    """End a run of this host as Ctrl-C does, and wait until it is recorded; return it then.

    One that has ended already stays as it is. Raises ``RunError`` for a run of another host, and
    for one that does not end.
    """
    run = get(project, name)[0]
    if run.state != "running":
        return run
    if not is_visible(run.owner):
        raise RunError(
            f"run {run.id} cannot be ended from here",
            found=f"it runs on {run.owner.get('host', 'a host that is not recorded')}",
            hint=f"run `freeze runs stop {run.id}` there; if that host is gone for good, "
            "`--lost` here marks the run as interrupted",
        )
    deadline = time.monotonic() + PATIENCE
    _terminate(f"run {run.id}", run.owner)
    while _runs(run):
        if time.monotonic() > deadline:
            raise _does_not_end(f"run {run.id}", run.owner)
        time.sleep(_PAUSE / 4)
    return get(project, run.id)[0]


def give_up(project: Project, name: str) -> Run:
    """Mark a run as interrupted whose host or container is gone for good; return it then.

    Raises ``RunError`` for one whose process is seen to live.
    """
    run = get(project, name)[0]
    if run.state == "running":
        with project_ledger(project) as ledger:
            if not is_alive(run.owner):
                settle(project, ledger, run.id)
        run = get(project, run.id)[0]
    if run.state == "running":
        raise RunError(f"run {run.id} is not lost: its process lives", hint="leave out --lost")
    return run


def _does_not_end(what: str, owner: Mapping[str, Value]) -> RunError:
    return RunError(
        f"{what} did not end within {PATIENCE:.0f} s",
        found=f"process {owner['pid']} lives",
        hint=f"`kill -9 {owner['pid']}` ends it; the next command records it",
    )


def _terminate(what: str, owner: Mapping[str, Value]) -> None:
    pid = owner.get("pid")
    if isinstance(pid, int) and is_alive(owner):
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        except PermissionError:
            raise RunError(f"{what} belongs to another user", found=f"process {pid}") from None


def _runs(run: Run) -> bool:
    return run.state == "running" and not is_dead(run.owner)
