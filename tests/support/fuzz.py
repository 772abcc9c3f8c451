"""A fuzz harness for parsers of outside data.

A :class:`Target` is a parser with real inputs (seeds). :func:`hold` feeds mutated seeds to it and
fails when anything but a ``FreezerError`` comes out, or when one input takes too long. A mutation
is a list of small edits, drawn from a generator; the longer run draws more (``python -m tests.fuzz``).

Each ``tests/unit/fuzz/test_*.py`` has a list ``TARGETS``, from which the longer run collects all.
"""

from __future__ import annotations

import faulthandler
import json
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from freezer.errors import FreezerError

Form = Literal["bytes", "text", "json"]
Edit = tuple[int, int, int]
"""Which operation, where, and with what; each number is taken modulo what there is."""

SLOW = 5.0
"""Seconds of CPU time that no small input may take, however busy the machine is."""
STUCK = 100.0
"""Seconds after which the process is ended, with a traceback of where it is."""
EXAMPLES = 30
"""Inputs for each target in the test suite."""
_MOST = 8
"""Edits of one input at most."""

_TOKENS = (
    b"", b"\0", b"\n", b"\r", b"\t", b" ", b"\x1b[31m", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xae",
    b"-1", b"0", b"1e999", b"NaN", b"Infinity", b"99999999999999999999999", b"9" * 5000, b"null", b"[]",
    b"{}", b"true", b'"', b"'", b"\\", b"%00", b"%", b"..", b"/", b"../" * 20, b"//", b"://", b"[::1",
    b"http://[", b"http://a:b:c@d:99999/", b"file:///dev/zero", b"@", b"#", b"?", b";", b",", b":", b"=",
    b"==", b">=", b"*", b"$", b"${A}", b"!!python/object:os.system", b"!!bool x", b"0b_", b"&a", b"*a",
    b"<<: *a", b"[" * 2000, b"{" * 2000, b'{"a":' * 2000, b"(" * 300, b"# coding: undefined\n",
    b"-----BEGIN PGP SIGNED MESSAGE-----\n", "\u0661\u00b2\u00a0\u2028".encode(), b"A" * 70000,
)  # fmt: skip
"""Pieces of text that parsers stumble over."""
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**400, 0.5, float("nan"), float("inf"), "", " ", "x", "\0",
    "\n", "\x1b[31m", "\ud800", "/", "..", "../x", "http://[", "1e999", "0b_", "9" * 5000, [], {}, [[]],
    [None], [1], [""], {"": None}, {"a": {}}, [{}], "2026-11-01T00:00:00Z", "sha256:" + "0" * 64, "0" * 64,
)  # fmt: skip
"""Values of JSON that a reader may not expect where they are."""


@dataclass(frozen=True)
class Target:
    """A parser, and real inputs for it."""

    name: str
    parse: Callable[[bytes], object]
    """Called with each input; may raise only ``FreezerError``."""
    seeds: Sequence[bytes]
    form: Form = "bytes"
    """How inputs are edited, in addition to their bytes: as lines of text, or as JSON values."""

    def __str__(self) -> str:
        return self.name


def hold(target: Target, examples: int = EXAMPLES) -> None:
    """Fail when a seed or one of some mutated seeds ends in anything but a ``FreezerError``.

    A target gets the same inputs each time. The failure's note has the input after as few of its
    edits as fail alike. (Hypothesis took as long to draw edits as the parsers take to read.)
    """
    generator = random.Random(target.name)
    with watched():
        for seed in target.seeds:
            attempt(target, seed)
        for _ in range(examples):
            seed, edits = _random_edits(target, generator)
            try:
                attempt(target, mutated(seed, edits, target.form))
            except Exception as error:
                edits = _fewest(target, seed, edits, type(error))
                data = mutated(seed, edits, target.form)
                error.add_note(f"{target.name}, after the edits {edits}: {data[:2000]!r}")
                raise


def _fewest(target: Target, seed: bytes, edits: list[Edit], kind: type[Exception]) -> list[Edit]:
    """Return the edits without those that it takes none of to fail in the same way."""
    for edit in list(edits):
        fewer = [one for one in edits if one is not edit]
        try:
            attempt(target, mutated(seed, fewer, target.form))
        except kind:
            edits = fewer
        except Exception:  # noqa: BLE001 - another failure; this one is looked for
            continue
    return edits


_armed_at: float | None = None


@contextmanager
def watched() -> Iterator[None]:
    """End the process if an attempt gets stuck: a pattern that never ends heeds no signal."""
    global _armed_at  # noqa: PLW0603 - a process has one such timer
    _arm()
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        _armed_at = None


def _arm() -> None:
    global _armed_at  # noqa: PLW0603
    faulthandler.dump_traceback_later(STUCK, exit=True)
    _armed_at = time.monotonic()


def attempt(target: Target, data: bytes) -> bool:
    """Parse an input; say whether it was accepted. Raises what is not a ``FreezerError``."""
    if _armed_at is not None and time.monotonic() - _armed_at > STUCK / 4:
        _arm()  # not for each input: this ends a thread and starts another
    began = time.process_time()
    try:
        target.parse(data)
    except FreezerError as error:
        return not (error.to_json() and str(error))
    finally:
        took = time.process_time() - began
        assert took < SLOW, f"{target.name} took {took:.1f} s for {data[:200]!r}"
    return True


def random_input(target: Target, generator: random.Random) -> bytes:
    """Return a mutated seed; the same generator gives the same inputs."""
    seed, edits = _random_edits(target, generator)
    return mutated(seed, edits, target.form)


def _random_edits(target: Target, generator: random.Random) -> tuple[bytes, list[Edit]]:
    seed = target.seeds[generator.randrange(len(target.seeds))]
    count = min(_MOST, 1 + int(generator.expovariate(0.8)))
    number = partial(generator.randrange, 1 << 16)
    return seed, [(number(), number(), number()) for _ in range(count)]


def mutated(data: bytes, edits: Sequence[Edit], form: Form) -> bytes:
    """Return a seed after some edits."""
    for edit in edits:
        data = _edited(data, edit, form)
    return data


def as_file(name: str, parse: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Return a parser of bytes from one of a file, which gets a folder of its own."""

    def parsed(data: bytes) -> object:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            return parse(path)

    return parsed


def within(parts: Mapping[str, bytes], name: str, pack: Callable[[Mapping[str, bytes]], bytes],
           parse: Callable[[bytes], object]) -> Callable[[bytes], object]:  # fmt: skip
    """Return a parser of one member of an archive: the rest of the archive stays whole."""
    return lambda data: parse(pack({**parts, name: data}))


def _edited(data: bytes, edit: Edit, form: Form) -> bytes:
    which, where, what = edit
    if form == "json" and which % 4:
        try:
            return _edited_json(data, which // 4, where, what)
        except (ValueError, RecursionError):
            pass
    if form == "text" and which % 2:
        return _edited_lines(data, which // 2, where, what)
    return _edited_bytes(data, which // 4, where, what)


def _edited_bytes(  # noqa: PLR0911 - one for each operation
    data: bytes, which: int, where: int, what: int
) -> bytes:
    at = where * 7919 % (len(data) + 1)
    span = 1 + what % 24
    token = _TOKENS[what % len(_TOKENS)]
    match which % 8:
        case 0:
            return data[:at] + bytes([what % 256]) + data[at + 1 :]
        case 1:
            return data[:at] + data[at + span :]
        case 2:
            return data[:at] + data[at : at + span] * (2 + what % 3) + data[at + span :]
        case 3:
            return data[:at]
        case 4 | 5:
            return data[:at] + token + data[at + (what % 2) * len(token) :]
        case 6:
            return _replaced(data, rb"-?\d+(?:\.\d+)?", where, token)
        case _:
            return _replaced(data, rb"[A-Za-z0-9_.-]+", where, token)


def _replaced(data: bytes, pattern: bytes, where: int, token: bytes) -> bytes:
    found = list(re.finditer(pattern, data))
    if not found:
        return data + token
    match = found[where % len(found)]
    return data[: match.start()] + token + data[match.end() :]


def _edited_lines(data: bytes, which: int, where: int, what: int) -> bytes:
    lines = data.split(b"\n")
    at, other = where % len(lines), what % len(lines)
    token = _TOKENS[what % len(_TOKENS)]
    match which % 8:
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[other])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = _swapped_fields(lines[at], what, token)
        case 4:
            lines[at] = token
        case 5:
            lines[at] += token
        case 6:
            lines[at] = b" " * (what % 5) + lines[at].lstrip()
        case _:
            lines[at] = lines[at] + lines.pop(other) if len(lines) > 1 and at < other else token
    return b"\n".join(lines)


def _swapped_fields(line: bytes, what: int, token: bytes) -> bytes:
    """Drop, repeat or replace one field of a line, whichever separator it has."""
    separator = next((one for one in (b",", b": ", b"=", b" ", b"/") if one in line), b" ")
    fields = line.split(separator)
    at = what % len(fields)
    match what // 7 % 3:
        case 0:
            del fields[at]
        case 1:
            fields.insert(at, fields[at])
        case _:
            fields[at] = token
    return separator.join(fields)


def _edited_json(data: bytes, which: int, where: int, what: int) -> bytes:
    document = json.loads(data)
    places = _places(document)
    value = _VALUES[what % len(_VALUES)]
    if not places:
        return json.dumps(value).encode()
    holder, key = places[where % len(places)]
    match which % 6:
        case 0 | 1:
            holder[key] = value
        case 2:
            del holder[key]
        case 3:
            holder[key] = [holder[key]] if what % 2 else {"a": holder[key]}
        case 4 if isinstance(holder, dict):
            holder[str(_VALUES[what % 20])] = holder.pop(key)
        case 4:
            holder.insert(key, value)
        case _:
            other, name = places[what % len(places)]
            holder[key] = other[name]
    try:
        return json.dumps(document).encode()
    except ValueError:  # it was put into itself
        return b"[" * 5000


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Return every ``(container, key)`` of a document."""
    found: list[tuple[Any, Any]] = []
    pending = [document]
    while pending and len(found) < 5000:
        one = pending.pop()
        keys: list[Any] = list(one) if isinstance(one, dict) else []
        if isinstance(one, list):
            keys = list(range(len(one)))
        for key in keys:
            found.append((one, key))
            pending.append(one[key])
    return found
