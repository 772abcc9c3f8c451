"""The result file of a training's job: read with limits, and trusted only as a whole."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from freezer.fetch.store.untrusted import read_untrusted
from freezer.fleet.request import Nonce, Text
from freezer.fleet.sealed import Problem, parse_sealed
from freezer.inside.freezer_host.outputs import DEEPEST, MOST
from freezer.model.base import Digest, Model, Sha256
from freezer.model.record.run import LATEST

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.fleet.trainings.submission import Submission

_NO_FILE: Final = frozenset({errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO})
"""Errors for a link, a pipe, a folder and a socket in the place of the file."""
LARGEST: Final = 128 << 20
"""Bytes: 100,000 files of outputs, and what 1,000 ranks reported."""
_INSIDE: Final = DEEPEST + 1
"""Parts of a path in the output folder."""


def _inside(path: str) -> str:
    """Return the path of an output. Raises ``ValueError`` for one that leads out of its folder."""
    parts = path.split("/")
    if len(parts) > _INSIDE or "\0" in path or not {"", ".", ".."}.isdisjoint(parts):
        raise ValueError("no path of a file below the output folder")
    return path


def _once(outputs: Outputs) -> Outputs:
    """Return outputs. Raises ``ValueError`` for a path that is there twice."""
    if len({path for path, _, _ in outputs}) < len(outputs):
        raise ValueError("a path is there twice")
    return outputs


Micros = Annotated[int, Field(ge=0, le=LATEST)]
Count = Annotated[int, Field(ge=0, lt=1 << 62)]
"""What a database keeps as a whole number."""
OutputPath = Annotated[str, StringConstraints(max_length=1 << 16), AfterValidator(_inside)]
LeftOut = Annotated[str, StringConstraints(max_length=1 << 17)]
"""A path with all its characters escaped, and a reason."""
Outputs = tuple[tuple[OutputPath, Count, Sha256], ...]
Fact = Annotated[str, StringConstraints(max_length=300)]
Written = Annotated[str, StringConstraints(max_length=1 << 20)]
"""A file that the runner in the container wrote."""
Outcome = Literal[
    "ran", "lost", "no-runtime", "no-image", "no-space", "no-secret", "no-output", "too-few-cpus",
    "data-changed", "mixed-classes",
]  # fmt: skip


class Captured(Model):
    """What a rank's container printed, in the file next to the result."""

    bytes: Count
    sha256: Sha256
    lost: Count = 0


class Rank(Model):
    """One process of a run, on one host."""

    rank: Count
    node: Text
    outcome: Outcome
    reason: Text = ""
    runtime: Text = ""
    user: Text = ""
    exit: Annotated[int, Field(ge=0, le=255)] | None = None
    out_of_memory: bool = False
    started: Micros | None = None
    ended: Micros | None = None
    usage: Written = ""
    host: Written = ""
    """The lines in which the image reports what decides how the host rounds."""
    output: Captured | None = None
    cpus: Text = ""
    facts: dict[Annotated[str, StringConstraints(max_length=100)], Fact] = Field(
        default_factory=dict
    )


class TrainingResult(Model):
    """What became of a job."""

    schema_: Literal["freezer/run-result/1"] = Field(alias="schema")
    integrity: str
    run: str
    nonce: Nonce
    image: Digest
    job: Text = ""
    restarts: Count = 0
    outcome: Outcome
    reason: Text = ""
    ranks: tuple[Rank, ...] = ()
    outputs: Annotated[Outputs, Field(max_length=MOST), AfterValidator(_once)] = ()
    """Path, bytes and SHA-256 of each file in the output folder, as the host saw it."""
    left_out: Annotated[tuple[LeftOut, ...], Field(max_length=1000)] = ()
    changed: tuple[Text, ...] = ()
    """Data sets that changed while the training ran."""
    ended: Micros


@dataclass(frozen=True)
class OutOfReach:
    """Why nothing can be said of a result: the shared folder is gone, or fails."""

    reason: str


def read_result(path: Path, submission: Submission) -> TrainingResult | Problem | OutOfReach | None:
    """Return a job's result; None where there is no file yet, ``Problem`` where it is not one.

    ``OutOfReach`` is neither: a folder that is not mounted now holds the result tomorrow.
    """
    try:
        data = read_untrusted(path, LARGEST + 1)
    except FileNotFoundError:
        # The task is written next to it before the job is submitted.
        there = os.path.isdir(path.parent)  # noqa: PTH112 - raises nothing
        return None if there else OutOfReach("the folder is not there")
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in _NO_FILE:
            return Problem(f"the result file cannot be read: {why}")
        return OutOfReach(why)
    return parse_result(data, submission)


def parse_result(data: bytes, submission: Submission) -> TrainingResult | Problem:
    """Return a result only if it is whole, and of this submission. Pure."""
    expected: dict[str, Any] = {
        "run": submission.run,
        "nonce": submission.nonce,
        "image": submission.image,
    }
    found = parse_sealed(data, TrainingResult, expected, LARGEST)
    if isinstance(found, Problem):
        return found
    return _with_ranks(found, submission.ranks)


def _with_ranks(found: TrainingResult, count: int) -> TrainingResult | Problem:
    """Return a result that holds every rank once, if its command ran at all."""
    numbers = [one.rank for one in found.ranks]
    if numbers != list(range(count)) and (numbers or found.outcome == "ran"):
        return Problem(f"the result file has ranks {numbers[:8]}, not 0 to {count - 1}")
    if found.outcome == "ran" and all(one.exit is None for one in found.ranks):
        return Problem("the result file holds no exit code")
    if any(one.exit is not None and None in (one.started, one.ended) for one in found.ranks):
        return Problem("the result file holds an exit code without its times")
    return found
