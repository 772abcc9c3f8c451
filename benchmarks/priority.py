"""Measuring on a machine that others use: what is measured goes before all else that runs there.

Its processes have the highest priority, its containers 256 times the usual weight, so that they
have the CPUs whenever they can use them. Caches and memory are shared all the same. It needs root.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import docker.errors

from freezer.engine.run.owner import OWNER_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = ", and what is measured went before all else"
"""How a page says it."""
WEIGHT = 1 << 18
"""The most that Linux takes; usual is 1024."""


@contextmanager
def first(wanted: bool) -> Iterator[None]:
    """Let this process, what it starts, and their containers go first while the block runs."""
    if not wanted:
        yield
        return
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    events = docker.APIClient().events(decode=True, filters={"type": "container"})
    thread = threading.Thread(target=_lift, args=(events,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        events.close()
        os.setpriority(os.PRIO_PROCESS, 0, usual)


def _lift(events: Any) -> None:
    """Give weight to each container that is made for this process or one that it started."""
    api = docker.APIClient()
    for event in events:
        owner = event.get("Actor", {}).get("Attributes", {}).get(OWNER_LABEL, "")
        if event.get("Action") == "create" and os.getpid() in _family(owner):
            with suppress(docker.errors.APIError):  # it ended already
                api.update_container(event["id"], cpu_shares=WEIGHT)


def _family(owner: str) -> tuple[int, ...]:
    """Return the process that a container's label names, and the one that started it."""
    pid = owner.split(":")[1] if owner.count(":") == 2 else ""
    try:
        fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split() if pid else []
    except OSError:
        fields = []
    return (int(pid), int(fields[1])) if fields else ()
