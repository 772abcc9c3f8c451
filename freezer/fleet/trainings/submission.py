"""What is kept of a submitted training until its result is in the ledger.

It is written before ``sbatch`` is called, in the project's own folder of records: the spool folder,
which hosts write to, is trusted for nothing that is not compared with it.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, StringConstraints, ValidationError

from freezer.errors import FleetError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.fleet.request import Nonce, Text
from freezer.model.base import Digest, Model, Sha256
from freezer.model.canonical import json_bytes
from freezer.model.parsing import parse_json
from freezer.model.spec.expect import Expectation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA: Final = "freezer/run-submission/1"
_SUFFIX: Final = ".json"
_LARGEST: Final = 64 << 20
_RUN: Final = re.compile(r"[0-9a-f]{16}")


class Submission(Model):
    """A run that was handed to Slurm."""

    schema_: Literal["freezer/run-submission/1"] = Field(default=SCHEMA, alias="schema")
    run: Annotated[str, StringConstraints(pattern=rf"^{_RUN.pattern}$")]
    nonce: Nonce
    name: Annotated[str, StringConstraints(pattern=r"^freezer-[a-z0-9-]+$", max_length=100)]
    """Of its job, or of the job array that it is a task of."""
    index: Annotated[int, Field(ge=1)] | None = None
    """Which task of the array; None for a job of its own."""
    sweep: str | None = None
    job: Annotated[str, StringConstraints(pattern=r"^[0-9]*$", max_length=20)] = ""
    """The number of the job or array; empty while it is not known."""
    cluster: Text = ""
    """The name of the cluster; empty where it is not known."""
    folder: str
    """Of its task, result and captured output, in the spool folder."""
    output: str
    created: Annotated[int, Field(ge=0)]
    """Seconds since the epoch."""
    requeue: bool = False
    ranks: Annotated[int, Field(ge=1)] = 1
    image: Digest
    document: str
    """The run as it was submitted."""
    contents: tuple[Sha256, ...] = ()
    """Patch, plan and lists of files, by digest; kept in the store until they are recorded."""
    expect: dict[str, Expectation] = Field(default_factory=dict)
    state: Text = ""
    """The last known state of the job."""
    note: Text = ""
    ended: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """When it was first seen to have ended, or to be missing in every list."""

    @property
    def key(self) -> str:
        """The name by which the scheduler's lists are read."""
        return self.name if self.index is None else f"{self.name}_{self.index}"

    @property
    def number(self) -> str:
        """The number of its job, as ``scancel`` takes it."""
        return self.job if self.index is None or not self.job else f"{self.job}_{self.index}"


def submission_bytes(one: Submission) -> bytes:
    """Return a submission as it is stored."""
    return json_bytes(one.model_dump(mode="json", by_alias=True)) + b"\n"


class Submissions:
    """The submissions of a project whose results are not recorded yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def any(self) -> bool:
        """Return whether there is one; one folder is listed."""
        try:
            with os.scandir(self.folder) as entries:
                return any(_is_submission(entry.name) for entry in entries)
        except OSError:
            return False

    def runs(self) -> list[str]:
        """Return the IDs of the runs."""
        try:
            names = [one.name for one in os.scandir(self.folder) if _is_submission(one.name)]
        except OSError:
            return []
        return sorted(name.removesuffix(_SUFFIX) for name in names)

    def get(self, run: str) -> Submission | None:
        """Return a run's submission; None where it is recorded. Raises ``FleetError``."""
        path = self._path(run)
        try:
            with path.open("rb") as stream:
                data = stream.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FleetError(
                "a submitted run cannot be read", where=Where(str(path)), found=error.strerror
            ) from None
        try:
            if len(data) > _LARGEST:
                raise ValueError(f"more than {_LARGEST} bytes")
            found = Submission.model_validate(parse_json(data))
            if found.run != run:
                raise ValueError(f"it is of run {found.run}")
        except (ValueError, ValidationError) as error:
            raise FleetError(
                "a submitted run is not as Freezer wrote it",
                where=Where(str(path)),
                found=str(error).splitlines()[0],
                hint="move the file away: the run stays `running` then; "
                f"`freeze runs stop --lost {run}` ends it",
            ) from None
        return found

    def make(self) -> None:
        """Make the folder. Raises ``HostError``."""
        with disk_errors(self.folder.parent):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, one: Submission) -> None:
        """Write a submission; on the disk when this returns. Raises ``HostError``."""
        self.make()
        with disk_errors(self.folder.parent):
            write_atomically(self._path(one.run), submission_bytes(one))

    def remove(self, run: str) -> None:
        """Remove a submission: the ledger has its result, or nothing was submitted."""
        self._path(run).unlink(missing_ok=True)

    @contextmanager
    def locked(self, *, wait: bool) -> Iterator[bool]:
        """Keep other commands from collecting; yield False where one does, and ``wait`` is not."""
        handle, held = -1, False
        try:
            with suppress(OSError):  # a folder that cannot be written to: nothing is collected
                handle = os.open(
                    self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
                )
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                held = True
            yield held  # not in the block above: errors of the caller pass
        finally:
            if handle >= 0:
                os.close(handle)

    def _path(self, run: str) -> Path:
        return self.folder / f"{run}{_SUFFIX}"


def _is_submission(name: str) -> bool:
    return name.endswith(_SUFFIX) and _RUN.fullmatch(name.removesuffix(_SUFFIX)) is not None
