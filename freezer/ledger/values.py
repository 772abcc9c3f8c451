"""How typed values are stored in the table of fields, and compared with it. Pure."""

from __future__ import annotations

import math
import struct
from typing import Any, Final

from freezer.ledger.schema import KEY_LENGTH
from freezer.model.record.run import Digest, Time, Value

NUMBER, TEXT, BOOLEAN, MOMENT, DIGEST = "ntbmd"
KINDS: Final = {
    NUMBER: "a number",
    TEXT: "text",
    BOOLEAN: "true or false",
    MOMENT: "a time",
    DIGEST: "a digest",
}
"""What each kind is called in messages."""

OF_EVERY_RUN: Final = {
    "id": TEXT,
    "env": TEXT,
    "status": TEXT,
    "command": TEXT,
    "started": MOMENT,
    "ended": MOMENT,
    "seconds": NUMBER,
    "exit": NUMBER,
    "seed": NUMBER,
    "lock": DIGEST,
    "image": DIGEST,
}
"""Fields that are known whether or not a run has them, and the kind of each: those of the record
itself, and what `freeze run` always records."""


def kind_of(value: Value) -> str:
    """Return the kind of a value."""
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, Time):
        return MOMENT
    return DIGEST if isinstance(value, Digest) else TEXT


def columns(value: Value) -> dict[str, Any]:
    """Return the columns of a field's row."""
    kind = kind_of(value)
    row: dict[str, Any] = {"kind": kind, "number": None, "bits": None, "key": None, "text": None}
    if isinstance(value, bool):
        row["number"] = float(value)
    elif isinstance(value, int):
        row |= {"number": as_double(value), "text": str(value), "key": str(value)[:KEY_LENGTH]}
    elif isinstance(value, float):
        row |= {
            "number": None if math.isnan(value) else value,
            "bits": struct.pack("<d", value),
        }
    elif isinstance(value, Time):
        row["number"] = float(value.micros)
    else:
        text = digits(value) if isinstance(value, Digest) else stored_text(value)
        row |= {"key": text[:KEY_LENGTH], "text": text}
    return row


def as_double(value: int) -> float:
    """Return the nearest double of a whole number; infinity beyond all of them."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def digits(value: Digest) -> str:
    """Return what a digest is compared by: its digits, in lower case."""
    return value.text.lower().removeprefix("sha256:")


def stored_text(text: str) -> str:
    """Return a text as every database takes it: no NUL, no lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
