"""BuildKit's messages: protocol buffers in base64 in JSON.

The trace is a ``moby.buildkit.v1.StatusResponse`` (api/services/control/control.proto of BuildKit):
field 1 vertexes, field 3 logs. Only four of its fields are needed, so they are read from the wire
format (varints and length-delimited fields) without generated code.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from freezer.engine.build.steps import Built, Event, Failure, Output, Step
from freezer.engine.responses import mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_VERTEX, _LOG = 1, 3
_DIGEST, _NAME, _STARTED, _ERROR = 1, 3, 5, 7
_LOG_VERTEX, _LOG_TEXT = 1, 4
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def events(messages: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    """Parse the messages of ``POST /build?version=2``."""
    for message in messages:
        if "error" in message:
            yield Failure(str(message["error"]))
        elif message.get("id") == "moby.image.id":
            yield Built(text(mapping(message["aux"])["ID"]))
        elif message.get("id") == "moby.buildkit.trace":
            yield from trace(base64.b64decode(text(message["aux"])))


def trace(data: bytes) -> Iterator[Event]:
    """Yield started and failed steps and the output in one status response.

    A malformed response yields nothing: it only reports progress, and the message that ends the
    build has the failure as plain text.
    """
    try:
        yield from list(_events(data))
    except ValueError:
        return


def _events(data: bytes) -> Iterator[Event]:
    for number, value in fields(data):
        if number == _VERTEX and isinstance(value, bytes):
            yield from _vertex(dict(fields(value)))
        elif number == _LOG and isinstance(value, bytes):
            log = dict(fields(value))
            yield Output(_text(log.get(_LOG_VERTEX)), _text(log.get(_LOG_TEXT)))


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield ``(number, value)`` of a protocol buffer. Raises ``ValueError`` for anything else."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if kind == _BYTES:
            size, position = _varint(data, position)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}.get(kind, len(data) + 1)
        if position + size > len(data):
            msg = "not a protocol buffer, or one that was cut off"
            raise ValueError(msg)
        yield number, data[position : position + size]
        position += size


def _vertex(vertex: Mapping[int, int | bytes]) -> Iterator[Event]:
    key = _text(vertex.get(_DIGEST))
    if _STARTED in vertex:
        yield Step(key, _text(vertex.get(_NAME)))
    if vertex.get(_ERROR):
        yield Failure("", key)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    msg = "an unterminated number"
    raise ValueError(msg)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""
