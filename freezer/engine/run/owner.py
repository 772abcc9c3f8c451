"""Label containers with their owner, so that those of killed processes are found and removed.

A container outlives a process that is killed with SIGKILL. Each has a label that names its owner by
process ID and start time, and by the running kernel and process namespace in which these mean
something. What belongs to another host, or another namespace, is never touched: its owner cannot
be seen from here. Where there is no ``/proc`` nobody is named and nothing is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import docker.errors

from freezer.engine.answers import items, mapping, text
from freezer.errors import FreezerError

if TYPE_CHECKING:
    from freezer.engine.link import Link

OWNER_LABEL = "freezer.owner"

_PROC = Path("/proc")


def owner() -> str:
    """Return who this process is: ``place:process ID:start``; empty where that cannot be told."""
    began, here = _began(os.getpid()), place()
    return f"{here}:{os.getpid()}:{began}" if here and began else ""


def is_gone(label: str) -> bool:
    """Say whether a container's owner lived here and does no more; False when in doubt."""
    where, _, process = label.partition(":")
    pid, _, began = process.partition(":")
    if not where or where != place() or not pid.isdigit() or not began:
        return False
    return _began(int(pid)) != began


def sweep(link: Link) -> None:
    """Remove containers whose owner is gone. What goes wrong is left to the next sweep."""
    with contextlib.suppress(FreezerError), link.doing("looking for containers left behind"):
        for item in items(link.api.containers(all=True, filters={"label": OWNER_LABEL})):
            found = mapping(item)
            if is_gone(text(mapping(found.get("Labels")).get(OWNER_LABEL))):
                with contextlib.suppress(docker.errors.APIError):  # another sweeps as well
                    link.api.remove_container(text(found["Id"]), v=True, force=True)


@cache
def place() -> str:
    """Return a digest of the running kernel and the process namespace; empty without ``/proc``."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = (_PROC / "self/ns/pid").readlink()
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:16]


def _began(pid: int) -> str:
    """Return when a process began, in clock ticks since the start (field 22 of proc(5)'s stat).

    Empty when there is no such process, or when it is dead and only waited for.
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in {"Z", "X"} else fields[19]
