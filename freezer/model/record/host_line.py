"""The host's line of a record, read by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from freezer.model.parsing import parse_json
from freezer.model.record.protocol import PREFIX
from freezer.model.record.record import Host

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 1 << 20


def parse_host(lines: Iterable[str]) -> Host | None:
    """Return the host that the lines of a record name; None when they name none."""
    prefix = PREFIX.decode()
    for line in lines:
        if '"host"' not in line or len(line) > _LONGEST:
            continue
        try:
            document = parse_json(line.removeprefix(prefix))
            if isinstance(document, dict) and document.get("kind") == "host":
                return Host.model_validate(document.get("host"))
        except (ValueError, ValidationError):
            continue
    return None
