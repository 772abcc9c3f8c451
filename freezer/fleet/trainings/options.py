"""What a user chooses of a training's job, by the terms of ``sbatch``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNTIMES: Final = ("docker", "podman", "apptainer", "enroot")
_OWN: Final = {
    "nodes": "--nodes",
    "N": "--nodes",
    "ntasks": "--nodes and --ntasks-per-node",
    "n": "--nodes and --ntasks-per-node",
    "ntasks-per-node": "--ntasks-per-node",
    "time": "--time",
    "t": "--time",
    "gres": "--gpus-per-node",
    "gpus": "--gpus-per-node",
    "G": "--gpus-per-node",
    "gpus-per-node": "--gpus-per-node",
    "cpus-per-task": "resources.cpus in freeze.yaml",
    "c": "resources.cpus in freeze.yaml",
    "mem": "resources.memory in freeze.yaml",
    "requeue": "--requeue",
    "no-requeue": "--requeue",
    "partition": "--on slurm:PARTITION",
    "p": "--on slurm:PARTITION",
    "constraint": "--on slurm:PARTITION:CONSTRAINT",
    "C": "--on slurm:PARTITION:CONSTRAINT",
    "array": "--each",
    "a": "--each",
}
"""Options of ``sbatch`` that are derived from others, and what to give instead."""
_FIXED: Final = frozenset(
    (
        *("parsable", "job-name", "J", "output", "o", "error", "e", "input", "i", "open-mode"),
        *("export", "export-file", "get-user-env", "chdir", "D", "clusters", "M", "wrap"),
        *("wait", "W", "test-only", "help", "h", "usage", "version", "V"),
    )
)
"""Options of ``sbatch`` by which jobs are found again, or which change what it prints."""
_WORDS: Final = re.compile(r"(?P<count>[1-9][0-9]{0,6})(?P<unit>[smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CLOCK: Final = re.compile(
    r"((?P<days>[0-9]{1,4})-)?(?P<hours>[0-9]{1,4}):(?P<minutes>[0-9]{2}):(?P<seconds>[0-9]{2})"
)


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """The options of one `freeze run --on`."""

    nodes: int = 1
    ntasks_per_node: int = 1
    time: int | None = None
    """Seconds after which Slurm ends the job; None: as the partition says."""
    gpus_per_node: int | None = None
    requeue: bool = False
    """Whether Slurm starts the job again when its node fails or it is preempted."""
    mixed_classes: bool = False
    pull: bool = False
    runtimes: tuple[str, ...] = RUNTIMES
    python: str = "python3"
    sbatch: tuple[str, ...] = ()
    at_once: int | None = None
    """Of a sweep: how many of its runs Slurm starts at once; None: as many as fit."""

    @property
    def ranks(self) -> int:
        """The number of processes of one run."""
        return self.nodes * self.ntasks_per_node


def read_time(text: str) -> int:
    """Return the seconds of ``90m``, ``2h``, ``1d``, or of Slurm's ``[D-]HH:MM:SS``.

    Raises ``FleetError``: a bare number is minutes for Slurm and seconds elsewhere.
    """
    if (words := _WORDS.fullmatch(text)) is not None:
        return int(words["count"]) * _SECONDS[words["unit"]]
    clock = _CLOCK.fullmatch(text)
    if clock is not None and int(clock["minutes"]) < 60 and int(clock["seconds"]) < 60:
        days, hours = int(clock["days"] or 0), int(clock["hours"])
        seconds = ((days * 24 + hours) * 60 + int(clock["minutes"])) * 60 + int(clock["seconds"])
        if seconds:
            return seconds
    raise FleetError(
        f"--time does not take {text!r}",
        expected="a duration with its unit, such as 30m, 2h or 1d, or [D-]HH:MM:SS as for sbatch",
    )


def require_job_options(options: JobOptions) -> None:
    """Refuse options that contradict each other or Freezer's own. Raises ``FleetError``."""
    unknown = [name for name in options.runtimes if name not in RUNTIMES]
    if unknown or not options.runtimes:
        raise FleetError(
            f"there is no container runtime {', '.join(unknown)!r}", expected=", ".join(RUNTIMES)
        )
    if options.mixed_classes and options.ranks == 1:
        raise FleetError(
            "--mixed-classes is for runs of several ranks",
            expected="--nodes or --ntasks-per-node as well",
        )
    _require_passed_on(options.sbatch)


def _require_passed_on(words: Sequence[str]) -> None:
    for word in words:
        name = _option(word)
        if name is None:
            raise FleetError(
                f"--sbatch does not take {word!r}",
                expected="one option with its value, such as --sbatch=--account=ml",
            )
        if name in _OWN:
            raise FleetError(f"--sbatch does not take {word!r}", expected=_OWN[name])
        if name in _FIXED:
            raise FleetError(
                f"--sbatch does not take {word!r}",
                hint="Freezer sets it, or finds the job by it; leave it out",
            )


def _option(word: str) -> str | None:
    """Return the name of an option of ``sbatch``; None for a word that is none.

    ``sbatch`` takes an abbreviation that only one option begins with: it is completed here.
    """
    if "\n" in word or "\0" in word:
        return None
    if (long := re.fullmatch(r"--([a-z][a-z0-9-]*)(=.*)?", word)) is not None:
        name = long[1]
        every = sorted(one for one in (*_OWN, *_FIXED) if len(one) > 1)
        return next((one for one in every if name == one), None) or next(
            (one for one in every if len(name) > 1 and one.startswith(name)), name
        )
    # Flags without a value may stand before an option in the same word: ``-QJname``.
    short = re.fullmatch(r"-[HOQsv]*([A-Za-z]).*", word)
    return short[1] if short else None
