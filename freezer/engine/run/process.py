"""Which process this is, and whether another one that named itself so still lives.

A process ID means something within one boot of one kernel and one process namespace only, and is
given again there: the time at which the process began is part of its name. What belongs to another
machine or another namespace cannot be seen from here, and is never taken for dead. Where there is
no ``/proc`` nothing is.
"""

from __future__ import annotations

import hashlib
import os
import socket
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROC = Path("/proc")
_MACHINE = Path("/etc/machine-id")


def this_process() -> dict[str, str | int]:
    """Return the name of this process: host, machine, boot, process namespace, ID, start."""
    return {**_here(), "pid": os.getpid(), "began": began(os.getpid())}


def on_this_machine(owner: Mapping[str, object]) -> bool:
    """Say whether a process ran on this machine, whatever the boot and namespace."""
    here = _here()
    if here["boot"] and owner.get("boot") == here["boot"]:
        return True
    if owner.get("host", here["host"]) != here["host"]:
        return False
    if not owner.get("boot") and not owner.get("machine"):
        return True  # there is only the name of the host to go by
    return bool(here["machine"]) and owner.get("machine") == here["machine"]


def is_visible(owner: Mapping[str, object]) -> bool:
    """Say whether a process can be seen from here: the same boot, and the same namespace."""
    here = _here()
    return bool(here["boot"]) and all(owner.get(key) == here[key] for key in ("boot", "namespace"))


def is_alive(owner: Mapping[str, object]) -> bool:
    """Say whether a process can be seen from here, and lives."""
    pid, start = owner.get("pid"), owner.get("began")
    return is_visible(owner) and isinstance(pid, int) and bool(start) and began(pid) == start


def is_dead(owner: Mapping[str, object]) -> bool:
    """Say whether a process certainly lives no more; False when in doubt."""
    if is_visible(owner):
        return bool(owner.get("began")) and not is_alive(owner)
    boot, here = owner.get("boot"), _here()["boot"]
    return on_this_machine(owner) and bool(boot) and bool(here) and boot != here


def place() -> str:
    """Return a digest of the running kernel and the process namespace; empty without ``/proc``."""
    here = _here()
    if not here["boot"] or not here["namespace"]:
        return ""
    return hashlib.sha256(f"{here['boot']} {here['namespace']}".encode()).hexdigest()[:16]


def began(pid: int) -> str:
    """Return when a process began, in clock ticks since the start (field 22 of proc(5)'s stat).

    Empty when there is no such process, or when it is dead and only waited for.
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in {"Z", "X"} else fields[19]


@cache
def _here() -> dict[str, str]:
    return {
        "host": socket.gethostname(),
        "machine": _machine(),
        "boot": _line(_PROC / "sys/kernel/random/boot_id"),
        "namespace": _namespace(),
    }


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _machine() -> str:
    """Return a digest of the machine's ID, which itself is not to be published (machine-id(5))."""
    identifier = _line(_MACHINE)
    return hashlib.sha256(f"freezer {identifier}".encode()).hexdigest()[:16] if identifier else ""


def _line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()[:100]
    except OSError:
        return ""
