"""The folder of a fleet on a file system that the hosts share, and everything in it.

``request.json``, ``attempts/N.json``, ``tasks/N.json``, ``results/N/HOST/ENV.json``, ``logs/`` and
``host.pyz``; ``jobs.json`` holds the last known states of jobs, which schedulers forget. Each file
is replaced atomically.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from freezer.errors import BusyError, FleetError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.fetch.store.untrusted import read_untrusted
from freezer.fleet.request import FLEET_ID, Attempt, Request
from freezer.model.base import Model
from freezer.model.canonical import json_bytes, plain
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST: Final = 64 << 20
_LOCK: Final = ".lock"
_JOBS: Final = "jobs.json"
_ATTEMPT: Final = re.compile(r"(?P<number>[1-9][0-9]{0,8})\.json", re.ASCII)


class KnownJob(NamedTuple):
    """The last known state of a job."""

    number: str
    state: str
    node: str
    note: str
    ended: float
    """When it was first seen to have ended, in seconds since the epoch."""


_KNOWN: Final = TypeAdapter(dict[str, KnownJob])
M = TypeVar("M", bound=Model)


class FleetFolder:
    """The files of one fleet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        """The fleet's ID."""
        return self.path.name

    @property
    def program(self) -> Path:
        """The program that hosts run."""
        return self.path / "host.pyz"

    def results(self, attempt: int) -> Path:
        """Return the folder of an attempt's result files."""
        return self.path / "results" / str(attempt)

    def result(self, attempt: int, host: str, environment: str) -> Path:
        """Return the path of one result file."""
        return self.results(attempt) / host / f"{environment}.json"

    def task(self, attempt: int) -> Path:
        """Return the path of the task that an attempt's hosts read."""
        return self.path / "tasks" / f"{attempt}.json"

    def log(self, attempt: int, host: str) -> Path:
        """Return where the output of a host's job goes."""
        return self.path / "logs" / f"{attempt}-{host}.log"

    def last_words(self, attempt: int, host: str) -> str:
        """Return the last line of a job's output; empty where there is none."""
        with suppress(OSError):
            data = read_untrusted(self.log(attempt, host), _LARGEST)[-4000:]
            lines = data.decode("utf-8", "replace").split("\n")
            return next((one.strip() for one in reversed(lines) if one.strip()), "")[:500]
        return ""

    def create(self, request: Request, program: bytes) -> None:
        """Make the folder, readable by its owner alone. Raises ``HostError``."""
        with disk_errors(self.path.parent):
            self.path.mkdir(mode=0o700, parents=True)
            for name in ("attempts", "tasks", "results", "logs"):
                (self.path / name).mkdir()
            write_atomically(self.program, program)
            self._write("request.json", plain(request))

    def request(self) -> Request:
        """Return what was asked for. Raises ``FleetError`` when it cannot be read."""
        return self._read("request.json", Request)

    def attempts(self) -> list[Attempt]:
        """Return the attempts in order. Raises ``FleetError`` when one cannot be read."""
        with self._readable():  # `glob` takes a folder that is gone for an empty one
            names = [one.name for one in os.scandir(self.path / "attempts")]
        numbers = sorted(int(found["number"]) for found in map(_ATTEMPT.fullmatch, names) if found)
        return [self._read(f"attempts/{number}.json", Attempt) for number in numbers]

    def next_attempt(self) -> int:
        """Return the number of an attempt that is to be made. Raises ``FleetError``."""
        return max((one.number for one in self.attempts()), default=0) + 1

    def require_results(self, attempt: int) -> None:
        """Raise ``FleetError`` when the folder of an attempt's results is out of reach.

        Where a shared file system is not mounted, every result file is missing.
        """
        with self._readable():
            self.results(attempt).stat()

    def write_attempt(self, attempt: Attempt) -> None:
        """Store an attempt; replaces what was known of it."""
        self._write(f"attempts/{attempt.number}.json", plain(attempt))

    def write_task(self, number: int, task: dict[str, Any]) -> None:
        """Store an attempt's task, and make the folder of its results."""
        with disk_errors(self.path):
            self.results(number).mkdir(exist_ok=True)
        self._write(f"tasks/{number}.json", task)

    def known_jobs(self) -> dict[str, KnownJob]:
        """Return the last known state of each job by name; empty where none is known."""
        try:
            return _KNOWN.validate_json(read_untrusted(self.path / _JOBS, _LARGEST))
        except (OSError, ValueError):
            return {}

    def keep_jobs(self, jobs: dict[str, KnownJob]) -> None:
        """Add states of jobs to the known ones."""
        with self.locked("jobs"):
            every = {**self.known_jobs(), **jobs}
            self._write(_JOBS, {name: one._asdict() for name, one in every.items()})

    @contextmanager
    def locked(self, what: str = "submit") -> Iterator[None]:
        """Keep other commands from doing the same. Raises ``BusyError`` where one does."""
        with disk_errors(self.path):
            handle = os.open(self.path / f"{_LOCK}.{what}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                wait = 0 if what == "jobs" else fcntl.LOCK_NB
                fcntl.flock(handle, fcntl.LOCK_EX | wait)
            except BlockingIOError:
                raise BusyError(
                    f"another command submits jobs of fleet {self.id}",
                    hint=f"wait for it; `freeze fleet status {self.id}` displays what is known",
                ) from None
            yield
        finally:
            os.close(handle)

    def _write(self, name: str, document: dict[str, Any]) -> None:
        with disk_errors(self.path):
            write_atomically(self.path / name, json_bytes(document) + b"\n")

    def _read(self, name: str, kind: type[M]) -> M:
        path = self.path / name
        with self._readable():
            data = read_untrusted(path, _LARGEST + 1)
        try:
            if len(data) > _LARGEST:
                raise ValueError(f"more than {_LARGEST} bytes")
            return kind.model_validate(parse_json(data))
        except (ValueError, ValidationError) as error:
            raise FleetError(
                "a file of the fleet is not as Freezer wrote it",
                where=Where(str(path)),
                found=str(error).splitlines()[0],
                hint="start the check again; its result files stay where they are",
            ) from None

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FleetError(
                "the fleet's folder cannot be read",
                where=Where(str(self.path)),
                found=error.strerror,
                hint="is the shared file system mounted?",
            ) from None


def fleet_folders(root: Path) -> list[FleetFolder]:
    """Return the fleets below a folder, oldest first; none where there is no such folder."""
    try:
        names = sorted(one.name for one in os.scandir(root) if FLEET_ID.fullmatch(one.name))
    except OSError:
        return []
    return [FleetFolder(root / name) for name in names]


def find_fleet(root: Path, identifier: str | None) -> FleetFolder:
    """Return a fleet by ID or the first characters of one; the latest for None.

    Raises ``FleetError`` when there is none, or several.
    """
    every = fleet_folders(root)
    found = [one for one in every if one.id.startswith(identifier)] if identifier else every[-1:]
    if len(found) == 1:
        return found[0]
    raise FleetError(
        f"several fleets begin with {identifier}" if found else "there is no such fleet",
        where=Where(str(root)),
        found=identifier if not found else ", ".join(one.id for one in found[:5]),
        hint="`freeze fleet list` lists them",
    )


def task_document(folder: FleetFolder, request: Request, attempt: Attempt) -> dict[str, Any]:
    """Return what the hosts of an attempt read. Pure."""
    return {
        "schema": "freezer/host-task/1",
        "fleet": request.id,
        "attempt": attempt.number,
        "nonce": attempt.nonce,
        "results": str(folder.results(attempt.number)),
        "runtimes": list(request.runtimes),
        "environments": {
            one.name: json.loads(json_bytes(one.model_dump(mode="json", by_alias=True)))
            for one in request.environments
        },
        "hosts": {
            host: list(entry.environments)
            for host, entry in attempt.hosts.items()
            if entry.cause is None
        },
    }
