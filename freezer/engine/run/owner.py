"""Label containers with their owner, so that those of killed processes are found and removed.

A container outlives a process that is killed with SIGKILL. Each has a label that names its owner by
process ID and start time, and by the running kernel and process namespace in which these mean
something. What belongs to another host, or another namespace, is never touched: its owner cannot
be seen from here. Where there is no ``/proc`` nobody is named and nothing is removed.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import docker.errors

from freezer.engine.answers import items, mapping, text
from freezer.engine.run.process import began, place
from freezer.errors import FreezerError

if TYPE_CHECKING:
    from freezer.engine.link import Link

OWNER_LABEL = "freezer.owner"


def owner() -> str:
    """Return who this process is: ``place:process ID:start``; empty where that cannot be told."""
    start, here = began(os.getpid()), place()
    return f"{here}:{os.getpid()}:{start}" if here and start else ""


def is_gone(label: str) -> bool:
    """Return whether a container's owner lived here and does no more; False when in doubt."""
    where, _, process = label.partition(":")
    pid, _, start = process.partition(":")
    if not where or where != place() or not pid.isdigit() or not start:
        return False
    return began(int(pid)) != start


def sweep(link: Link) -> None:
    """Remove containers whose owner is gone. What goes wrong is left to the next sweep."""
    with contextlib.suppress(FreezerError), link.doing("looking for containers left behind"):
        for item in items(link.api.containers(all=True, filters={"label": OWNER_LABEL})):
            found = mapping(item)
            if is_gone(text(mapping(found.get("Labels")).get(OWNER_LABEL))):
                with contextlib.suppress(docker.errors.APIError):  # another sweeps as well
                    link.api.remove_container(text(found["Id"]), v=True, force=True)
