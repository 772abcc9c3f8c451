"""Measurements kept beside their page, so that it can be measured in parts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


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
