"""Validates imported runs before they are recorded: types, names, ranges. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from freezer.model.record.run import LARGEST, STATES, Digest, Time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.model.record.run import Output, Run

FIRST: Final = -62_135_596_800_000_000
LAST: Final = 253_402_300_799_999_999
"""Microseconds since 1970: the years 1 to 9999."""
LONGEST_NAME: Final = 270
"""Characters of a field's name."""
_ID: Final = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}")
_DIGEST: Final = re.compile(r"(sha256:)?[0-9a-fA-F]{4,64}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def require_run(run: Run) -> None:
    """Raise ``ValueError`` for an invalid run; the message names the invalid part."""
    _require(_is_text(run.id) and _ID.fullmatch(run.id), "id", run.id)
    _require(_is_name(run.environment, 64), "environment", run.environment)
    _require(run.state in STATES, "state", run.state)
    for name, time in (("started", run.started), ("ended", run.ended)):
        _require(time is None or _is_time(time), name, time)
    code = run.exit_code
    _require(code is None or (type(code) is int and abs(code) < 1 << 31), "exit", code)
    _texts("command", run.command)
    _texts("notes", run.notes)
    _values("fields", run.fields)
    _values("owner", run.owner)
    for part, texts in (("tags", run.tags), ("links", run.links)):
        _values(part, texts)
        _texts(part, texts.values())
    _require(_is_text(run.tail), "tail", run.tail)
    for output in run.outputs:
        _require(_is_output(output), "outputs", output)


def _texts(part: str, found: Iterable[Any]) -> None:
    for one in found:
        _require(_is_text(one), part, one)


def _values(part: str, found: Mapping[str, Any]) -> None:
    for name, value in found.items():
        _require(_is_name(name, LONGEST_NAME), f"a name in {part}", name)
        _require(_is_value(value), f"{part}: {name}", value)


def _is_value(value: Any) -> bool:
    if isinstance(value, Time):
        return _is_time(value)
    if isinstance(value, Digest):
        return _DIGEST.fullmatch(value.text) is not None
    return _is_text(value) or type(value) in (int, float, bool)


def _is_time(time: Time) -> bool:
    return type(time.micros) is int and FIRST <= time.micros <= LAST


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LARGEST


def _is_name(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()


def _is_output(output: Output) -> bool:
    digests = [output.sha256, *([] if output.content is None else [output.content])]
    return (
        _is_text(output.path)
        and (type(output.size) is int and 0 <= output.size < 1 << 63)
        and all(_is_text(one) and _SHA256.fullmatch(one) for one in digests)
        and (output.format is None or _is_name(output.format, 64))
    )


def _require(holds: object, part: str, found: Any) -> None:
    if not holds:
        message = f"{part}: {ascii(found)[:120]}"
        raise ValueError(message)
