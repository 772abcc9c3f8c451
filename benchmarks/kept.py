"""Measurements kept beside their page, so that it can be measured in parts."""

from __future__ import annotations

import json
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def merge(
    file: Path, machine: str, found: Mapping[str, Any], order: Sequence[str]
) -> dict[str, Any]:
    """Keep measurements by name in a file; return them with those that were there, in order.

    Those of another machine, or of other versions, are not kept beside them, nor those whose name
    is not in the order any more.
    """
    try:
        before = json.loads(file.read_text())
    except FileNotFoundError:
        before = {}
    if before.get("machine") != machine:
        before = {}
    known = {**before.get("measured", {}), **found}
    measured = {name: known[name] for name in order if name in known}
    document = {"machine": machine, "measured": measured}
    file.write_text(json.dumps(document, indent=1) + "\n")
    return measured


def idle(seconds: float = 3.0) -> float:
    """Return which share of the CPUs nobody uses, watched for some seconds: 1 on a quiet machine.

    Of the first line of ``/proc/stat``: ``proc(5)``.
    """
    before = _ticks()
    sleep(seconds)
    still, every = (now - then for now, then in zip(_ticks(), before, strict=True))
    return still / every if every else 1.0


def _ticks() -> tuple[int, int]:
    """Return the ticks in which CPUs had nothing to do or waited for a disk, and all of them."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    counted = [int(word) for word in words]
    return counted[3] + counted[4], sum(counted)
