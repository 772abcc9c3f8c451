"""TensorBoard's event files: scalars by step, and the hyperparameters of its HParams plugin.

Each folder with event files is one of TensorBoard's runs, such as ``train`` and ``validation``; the
folder is put before a metric's name where there are several.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from freezer.ledger.foreign import protobuf
from freezer.ledger.foreign.found import Budget, ForeignRun, keep_text
from freezer.ledger.foreign.tfrecord import records
from freezer.ledger.series import Points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.ledger.foreign.files import Folder

MARK: Final = "tfevents"
_CLOCK: Final = re.compile(r"[0-9]{9,}(\.[0-9]+)?")
"""A folder named after a time, as PyTorch's `add_hparams` creates it."""
_NUMBERS: Final = {1: "<f", 2: "<d", 3: "<i", 9: "<q"}
"""How the content of a tensor with one element is packed, by its type."""


@dataclass
class _Events:
    """What one folder's files hold."""

    points: dict[str, list[tuple[int, int, float]]] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)


def event_run(folder: Folder, budget: Budget) -> ForeignRun | None:
    """Return the scalars and hyperparameters in all event files of a folder; None without any."""
    paths = sorted(path for path in folder.sizes if MARK in path.rpartition("/")[2])
    found: dict[str, _Events] = {}
    for path in paths:
        events = found.setdefault(path.rpartition("/")[0], _Events())
        _read_file(folder, path, events, budget)
    if not any(one.points or one.params for one in found.values()):
        return None
    run = ForeignRun("tensorboard")
    for place, events in found.items():
        prefix = _prefix(place, list(found))
        for name, text in events.params.items():
            keep_text(budget, run.params, name, text)
        for name, points in events.points.items():
            if budget.takes(f"{prefix}{name}"):
                _add(run, f"{prefix}{name}", Points.of(points))
    return run


def _add(run: ForeignRun, name: str, points: Points) -> None:
    number, free = 2, name
    while free in run.metrics:
        free, number = f"{name} ({number})", number + 1
    run.metrics[free] = points


def _prefix(place: str, places: list[str]) -> str:
    if len(places) == 1:
        return ""
    common = os.path.commonpath([f"/{one}" for one in places]).strip("/")
    parts = place[len(common) :].strip("/").split("/") if place != common else []
    return "".join(f"{part}/" for part in parts if not _CLOCK.fullmatch(part))


def _read_file(folder: Folder, path: str, events: _Events, budget: Budget) -> None:
    shown = ascii(path)[1:-1]
    if not budget.takes_bytes(folder.sizes[path]):
        budget.note(f"{shown}: too large")
        return
    try:
        with folder.open(path) as stream:
            for record in records(stream, os.fstat(stream.fileno()).st_size):
                if record is not None:
                    _read_event(record, events, budget)
    except (OSError, ValueError) as error:
        budget.note(f"{shown}: {error}")


def _read_event(record: bytes, events: _Events, budget: Budget) -> None:
    """Read one event: its time, its step, and the values of its summary."""
    time, step, summaries = 0.0, 0, []
    for number, value in protobuf.fields(record):
        if number == 1:
            time = protobuf.double(value)
        elif number == 2:
            step = protobuf.signed(value)
        elif number == 5:
            summaries.append(protobuf.message(value))
    micros = round(time * 1e6) if 0 <= time < 1e11 else 0
    for summary in summaries:
        for number, value in protobuf.fields(summary):
            if number == 1:
                _read_value(protobuf.message(value), (step, micros), events, budget)


def _read_value(data: bytes, when: tuple[int, int], events: _Events, budget: Budget) -> None:
    tag, plugin, content, scalar = "", "", b"", None
    for number, value in protobuf.fields(data):
        if number == 1:
            tag = protobuf.text(value)
        elif number == 2:
            scalar = protobuf.single(value)
        elif number == 8:
            scalar = _tensor(protobuf.message(value))
        elif number == 9:
            plugin, content = _plugin(protobuf.message(value))
    if plugin == "hparams":
        events.params |= dict(_hyperparameters(content))
    elif scalar is not None and plugin in ("", "scalars") and budget.takes_points():
        events.points.setdefault(tag, []).append((*when, scalar))


def _tensor(data: bytes) -> float | None:
    """Return the number in a tensor of one element; None for any other."""
    kind, content, packed = 0, b"", {5: "<f", 6: "<d"}
    for number, value in protobuf.fields(data):
        if number == 1:
            kind = protobuf.signed(value)
        elif number == 4 or number in packed:
            content = protobuf.message(value)
    form = _NUMBERS.get(kind)
    if form is None or len(content) != struct.calcsize(form):
        return None
    return float(struct.unpack(form, content)[0])


def _plugin(data: bytes) -> tuple[str, bytes]:
    """Return the name and the content of a value's plugin data."""
    name, content = "", b""
    for number, value in protobuf.fields(data):
        if number == 1:
            for inner, part in protobuf.fields(protobuf.message(value)):
                if inner == 1:
                    name = protobuf.text(part)
                elif inner == 2:
                    content = protobuf.message(part)
    return name, content


def _hyperparameters(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the hyperparameters that a session of the HParams plugin starts with."""
    for number, value in protobuf.fields(content):
        if number != 3:
            continue
        for inner, part in protobuf.fields(protobuf.message(value)):
            if inner != 1:
                continue
            entry = dict(protobuf.fields(protobuf.message(part)))
            if 1 in entry and 2 in entry:
                yield protobuf.text(entry[1]), _value(protobuf.message(entry[2]))


def _value(data: bytes) -> str:
    for number, value in protobuf.fields(data):
        if number == 2:
            found = protobuf.double(value)
            return str(int(found)) if found.is_integer() and abs(found) < 2**53 else repr(found)
        if number == 3:
            return protobuf.text(value)
        if number == 4:
            return str(bool(value))
    return ""
