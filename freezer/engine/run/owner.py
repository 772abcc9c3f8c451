"""Labels containers with their owner process, to remove those of killed processes.

A container outlives a process that is killed with SIGKILL. Its label has the process ID and start
time of the owner, and the kernel and process namespace in which these are valid. Containers of
another host or namespace are never touched: their owner is not visible here. Without ``/proc``
containers have no owner and none is removed.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import docker.errors

from freezer.engine.responses import items, mapping, text
from freezer.engine.run.process import began, place
from freezer.errors import FreezerError

if TYPE_CHECKING:
    from freezer.engine.link import Link

OWNER_LABEL = "freezer.owner"


def owner() -> str:
    """Return an identifier of this process, ``place:process ID:start``; empty if unknown."""
    start, here = began(os.getpid()), place()
    return f"{here}:{os.getpid()}:{start}" if here and start else ""


def is_gone(label: str) -> bool:
    """Return whether a container's owner on this host has ended; False when in doubt."""
    where, _, process = label.partition(":")
    pid, _, start = process.partition(":")
    if not where or where != place() or not pid.isdigit() or not start:
        return False
    return began(int(pid)) != start


def sweep(link: Link) -> None:
    """Remove containers whose owner has ended. Failures are left to the next sweep."""
    with contextlib.suppress(FreezerError), link.doing("searching for leftover containers"):
        for item in items(link.api.containers(all=True, filters={"label": OWNER_LABEL})):
            found = mapping(item)
            if is_gone(text(mapping(found.get("Labels")).get(OWNER_LABEL))):
                with contextlib.suppress(docker.errors.APIError):  # another process sweeps as well
                    link.api.remove_container(text(found["Id"]), v=True, force=True)


def kill_own(link: Link) -> None:
    """Kill the running containers of this process. Raises ``EngineError``."""
    wanted = {"label": f"{OWNER_LABEL}={owner()}"}
    with link.doing("ending containers"):
        for item in items(link.api.containers(filters=wanted)):
            with contextlib.suppress(docker.errors.APIError):  # it has just ended
                link.api.kill(text(mapping(item)["Id"]))
