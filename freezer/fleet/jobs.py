"""Jobs as Slurm's programs list them, parsed strictly. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.fleet.state import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

QUEUE_COLUMNS: Final = "%i|%j|%T|%N|%r"
"""The format of ``squeue``: number, name, state, nodes, reason."""
ACCOUNTING_COLUMNS: Final = "JobIDRaw,JobName,State,NodeList,ExitCode"
NODE_COLUMNS: Final = "%N|%T|%f|%G|%E"
"""The format of ``sinfo``: name, state, features, generic resources, reason."""
_GOOD_EXIT: Final = ("", "0:0")
UNLISTED: Final = "UNLISTED"
"""The state of a job of which nothing can be known now: a list could not be read."""
_ACTIVE: Final = frozenset(
    {
        UNLISTED,
        *("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED"),
        *("REQUEUE_FED", "REQUEUE_HOLD", "RESIZING", "SIGNALING", "SPECIAL_EXIT"),
        *("STAGE_OUT", "STOPPED", "RESV_DEL_HOLD", "POWER_UP_NODE", "EXPEDITING"),
    }
)
"""States of https://slurm.schedmd.com/squeue.html that a job leaves by itself or by an operator."""
COMPLETED: Final = "COMPLETED"
_ENDED: Final = {
    "CANCELLED": Cause.CANCELLED,
    "DEADLINE": Cause.DEADLINE,
    "TIMEOUT": Cause.DEADLINE,
}
"""Why a host was not checked, by the state in which its job ended; every other one is lost."""
_DOWN: Final = frozenset({"down", "fail", "failing", "error", "unknown", "future"})
_DRAINED: Final = frozenset({"drained", "draining", "drain", "drng", "inval"})
_MARKS: Final = "*~#!%$@^-+"


@dataclass(frozen=True)
class Job:
    """One job as its scheduler lists it."""

    number: str
    name: str
    state: str
    node: str = ""
    note: str = ""
    """Why a pending job waits, or the exit code of one that ended."""

    @property
    def active(self) -> bool:
        """Whether the job did not end yet; a state that is not known has ended."""
        return self.state in _ACTIVE

    @property
    def completed(self) -> bool:
        """Whether it ended by itself, with exit code 0."""
        return self.state == COMPLETED and (self.note in _GOOD_EXIT or ":" not in self.note)

    @property
    def cause(self) -> Cause:
        """Why a host whose job ended like this was not checked."""
        return _ENDED.get(self.state, Cause.LOST)

    @property
    def title(self) -> str:
        """The job and its state for messages."""
        if self.state == UNLISTED:
            return self.note
        note = f", {self.note}" if self.note not in ("", "None") else ""
        job = f"job {self.number}" if self.number else "the check"
        return f"{job} {self.state}{note}"


@dataclass(frozen=True)
class Node:
    """A node of the cluster."""

    name: str
    state: str
    features: frozenset[str] = frozenset()
    resources: str = ""
    reason: str = ""

    @property
    def unusable(self) -> Cause | None:
        """Why no job is submitted to it; None when one is."""
        base = self.state.rstrip(_MARKS).lower()
        if base in _DOWN:
            return Cause.DOWN
        return Cause.DRAINED if base in _DRAINED else None

    @property
    def has_gpus(self) -> bool:
        """Whether Slurm hands out GPUs of it."""
        return "gpu" in self.resources


def parse_queue(text: str) -> dict[str, Job]:
    """Return the jobs of ``squeue`` by name; of a name that occurs again, the last one."""
    return {row[1]: Job(row[0], row[1], row[2], row[3], row[4]) for row in _rows(text, 5)}


def parse_accounting(text: str) -> dict[str, Job]:
    """Return the jobs of ``sacct --parsable2`` by name.

    A state such as ``CANCELLED by 1000`` is the first word of it.
    """
    return {
        row[1]: Job(row[0], row[1], (row[2].split() or [""])[0], row[3], row[4])
        for row in _rows(text, 5)
    }


def parse_nodes(text: str) -> dict[str, Node]:
    """Return the nodes of ``sinfo`` by name."""
    return {
        row[0]: Node(row[0], row[1], _features(row[2]), row[3], "" if row[4] == "none" else row[4])
        for row in _rows(text, 5)
    }


def _features(text: str) -> frozenset[str]:
    return frozenset(one for one in text.split(",") if one and one != "(null)")


def _rows(text: str, count: int) -> Iterator[list[str]]:
    """Yield the rows of a list; what follows the last separator may hold further ones."""
    for line in text.splitlines():
        row = [part.strip() for part in line.split("|", count - 1)]
        if len(row) == count and row[0]:
            yield row


def unlisted(names: Iterable[str], reason: str) -> dict[str, Job]:
    """Return jobs of which nothing can be known, by name."""
    return {name: Job("", name, UNLISTED, note=reason) for name in names}


def joined(
    queue: dict[str, Job], accounting: dict[str, Job], known: dict[str, Job]
) -> dict[str, Job]:
    """Return the state of each job by name, from every source. Pure.

    The controller is right about jobs that it knows. A job that it forgot ended: accounting, which
    lists jobs late and may still call one of them running, is believed only about an end.
    """
    ended = {
        name: job for name, job in accounting.items() if not job.active or job.state == UNLISTED
    }
    return {**known, **ended, **queue}
