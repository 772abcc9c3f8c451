"""Slurm by its own programs, such as ``sinfo``, ``sbatch``, ``squeue``, ``sacct``, ``scancel``.

They get a small environment: what a user's shell holds, secrets too, would otherwise travel with
each job to its host.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError
from freezer.fleet import jobs
from freezer.fleet.jobs import ACCOUNTING_COLUMNS, parse_accounting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from freezer.fleet.jobs import Job, Node

_PASSED: Final = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "SLURM_CONF", "SLURM_JWT"),
    *("SBATCH_ACCOUNT", "SBATCH_QOS", "SBATCH_RESERVATION"),
)
"""Variables that Slurm's programs need; ``sbatch`` passes them on to the job. No others of
``sbatch``'s own: such as ``SBATCH_ARRAY_INX`` would make several jobs of one."""
_ANSWER: Final = 60.0
_MARGIN: Final = 600
"""Seconds by which the clocks of login nodes and accounting may differ."""
_QUICK: Final = 5.0
"""Seconds for an answer to a command that can do without it."""
_PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts while the controller does not answer."""
_GONE: Final = ("Unable to contact slurm controller", "Connection refused", "Socket timed out")
_SILENT: Final = ("Socket timed out", "Zero Bytes were", "Connection reset", "Unexpected message")
"""Errors after which the controller may have taken a job."""
_NO_ACCOUNTING: Final = "accounting storage is disabled"


@dataclass(frozen=True)
class JobRequest:
    """One job on one node."""

    name: str
    """By it the scheduler's lists are read."""
    node: str
    script: str
    log: Path
    cpus: int
    memory: str
    """Such as ``2g``."""
    gpus: int
    seconds: int
    """For running."""
    deadline: int
    """Seconds until it must have ended."""


class UnansweredError(FleetError):
    """A job was submitted, and whether it was taken is not known."""


class Slurm:
    """The cluster that the programs on PATH reach."""

    def __init__(self, options: Sequence[str] = (), *, patient: bool = True) -> None:
        """``options``: further ones for ``sbatch``, such as ``--account=ml``.

        Unless ``patient``, a controller that does not answer is asked once, and not for long.
        Raises ``FleetError`` for one that is no option: ``sbatch`` would run it as its script.
        """
        wrong = [one for one in options if not one.startswith("-") or one == "--"]
        if wrong:
            raise FleetError(
                f"--sbatch does not take {wrong[0]!r}",
                expected="an option of sbatch in one word, such as --sbatch=--account=ml",
            )
        self._options = tuple(options)
        self._patient = patient

    def nodes(self, partition: str) -> dict[str, Node]:
        """Return the nodes of a partition. Raises ``FleetError`` when there is none of the name."""
        out = self.answer("sinfo", "-h", "-N", "-p", partition, "-o", jobs.NODE_COLUMNS)
        found = jobs.parse_nodes(out)
        if not found:
            raise FleetError(
                f"Slurm has no partition {partition!r} with nodes",
                hint="`sinfo` lists the partitions",
            )
        return found

    def submit(self, partition: str, request: JobRequest) -> str | None:
        """Submit a job; return its number. Raises ``FleetError`` when it is refused.

        None: the controller did not say whether it took the job, which is found by its name if so.

        The time limit is at most half of the deadline: a job that cannot end before its deadline is
        never started. Submission is not tried again: a job that the controller took without an
        answer would run twice.
        """
        command = [
            "sbatch", "--parsable", "--no-requeue", f"--job-name={request.name}",
            f"--partition={partition}", f"--nodelist={request.node}", "--nodes=1", "--ntasks=1",
            f"--cpus-per-task={request.cpus}", f"--mem={request.memory.upper()}",
            f"--time={_duration(min(request.seconds, request.deadline // 2))}",
            f"--deadline=now+{request.deadline}seconds",
            f"--output={_literal(request.log)}",
            *([f"--gres=gpu:{request.gpus}"] if request.gpus else []), *self._options,
        ]  # fmt: skip
        done = _run(command, request.script)
        if _is_silent(done):
            return None
        if done.returncode != 0:
            raise _refused("sbatch", done)
        return done.stdout.strip().partition(";")[0]

    def submit_words(self, words: Sequence[str], script: str, variables: Mapping[str, str]) -> str:
        """Run a command line of ``sbatch`` once; return what it printed.

        ``variables`` are added to the job's environment. Raises ``FleetError`` when it is refused,
        ``UnansweredError`` when the controller may have taken the job without an answer.
        """
        done = _run(list(words), script, variables)
        if done.returncode == 0:
            return done.stdout
        if _is_silent(done):
            raise UnansweredError("the Slurm controller did not answer", found=_last_line(done))
        raise _refused("sbatch", done)

    def jobs(self, names: Collection[str], since: int, known: Mapping[str, Job]) -> dict[str, Job]:
        """Return the jobs of some names, from controller and accounting; not those unknown to both.

        ``known`` are last known states, which a controller forgets and a cluster without accounting
        does not keep. A job that the controller forgot is ``UNLISTED`` while accounting does not
        answer. Raises ``FleetError`` when the controller does not answer.
        """
        queue = self.answer("squeue", "-h", "--me", "-t", "all", "-o", jobs.QUEUE_COLUMNS)
        found = _named(jobs.parse_queue(queue), names)
        accounted: dict[str, Job] = {}
        ended = {name for name, job in known.items() if not job.active}
        forgotten = [name for name in names if name not in found and name not in ended]
        if forgotten:
            accounted = _named(self.accounting(since, forgotten), names)
        return jobs.joined(found, accounted, dict(known))

    def accounting(
        self,
        since: int,
        names: Collection[str],
        columns: str = ACCOUNTING_COLUMNS,
        parse: Callable[[str], dict[str, Job]] = parse_accounting,
    ) -> dict[str, Job]:
        """Return the user's own jobs since a time; ``names`` are ``UNLISTED`` without an answer."""
        # Counted from now: a point in time would be read in the zone of another process.
        begin = f"now-{max(int(time.time()) - since, 0) + _MARGIN}seconds"
        user = f"--user={os.getuid()}"  # as root, it lists everybody's
        command = ["sacct", "-X", "-n", "-P", user, "-S", begin, "-o", columns]
        done = _run(command, patience=_ANSWER if self._patient else _QUICK)
        if done.returncode == 0:
            return parse(done.stdout)
        if _NO_ACCOUNTING in done.stderr:
            return {}
        return jobs.unlisted(names, f"accounting does not answer: {_last_line(done)}")

    def cluster(self) -> str:
        """Return the cluster's name; empty where it is not told."""
        try:
            out = self.answer("scontrol", "show", "config")
        except FleetError:
            return ""
        found = re.search(r"^ClusterName\s*=\s*(\S+)", out, re.MULTILINE)
        return found[1][:200] if found else ""

    def cancel(self, numbers: Sequence[str]) -> None:
        """Cancel jobs; those that ended already are left alone."""
        for start in range(0, len(numbers), 200):
            done = _run(["scancel", "--quiet", *numbers[start : start + 200]])
            if done.returncode != 0 and done.stderr.strip():
                raise _refused("scancel", done)

    def cancel_named(self, name: str) -> None:
        """Cancel the user's jobs of a name."""
        done = _run(["scancel", "--quiet", f"--user={os.getuid()}", f"--name={name}"])
        if done.returncode != 0 and done.stderr.strip():
            raise _refused("scancel", done)

    def answer(self, *command: str) -> str:
        """Return a program's output; wait a while for a controller that is being restarted."""
        pauses = iter(_PAUSES if self._patient else ())
        while True:
            done = _run(list(command), patience=_ANSWER if self._patient else _QUICK)
            if done.returncode == 0:
                return done.stdout
            pause = next(pauses, None)
            if pause is None or not any(words in done.stderr for words in _GONE):
                raise _refused(command[0], done)
            time.sleep(pause)


def require_slurm() -> None:
    """Raise ``FleetError`` when Slurm's programs are not on PATH."""
    missing = [name for name in ("sinfo", "sbatch", "squeue") if shutil.which(name) is None]
    if missing:
        raise FleetError(
            f"Slurm's programs are not here: {', '.join(missing)}",
            hint="start the check on a login node of the cluster",
        )


def _named(found: Mapping[str, Job], names: Collection[str]) -> dict[str, Job]:
    return {name: job for name, job in found.items() if name in names}


def _literal(path: Path) -> str:
    """Return a path as ``--output`` takes it, which replaces patterns such as ``%j``."""
    return str(path).replace("%", "%%")


def _is_silent(done: subprocess.CompletedProcess[str]) -> bool:
    """Return whether ``sbatch`` ended without the controller's answer to a submission."""
    return done.returncode < 0 or any(words in done.stderr for words in _SILENT)


def _duration(seconds: int) -> str:
    hours, rest = divmod(max(seconds, 60), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED if name in os.environ}


def _run(
    command: list[str],
    script: str | None = None,
    variables: Mapping[str, str] | None = None,
    patience: float = _ANSWER,
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            input=script,
            stdin=subprocess.DEVNULL if script is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            env={**_environment(), **(variables or {})},
            timeout=patience,
            check=False,
        )
    except OSError as error:
        raise FleetError(
            f"{command[0]} cannot be started",
            found=error.strerror,
            hint="start the check on a login node of the cluster",
        ) from None
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", "Socket timed out")


def _refused(program: str, done: subprocess.CompletedProcess[str]) -> FleetError:
    return FleetError(
        f"{program} failed",
        found=_last_line(done).removeprefix(f"{program}: ").removeprefix("error: "),
        hint="see whether `sinfo` and `squeue` work here",
    )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return lines[-1][:500]
