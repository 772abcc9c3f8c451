"""References: records to compare later ones with, one a lock and numerics class."""

from __future__ import annotations

import json
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from freezer.errors import CheckError, Where
from freezer.fetch.store.atomic import write_atomically
from freezer.model.canonical import digest, json_bytes, plain
from freezer.model.record.record import RECORD_SCHEMA, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "references"
_ON_ONE_LINE = 4
"""Depth of an observation in the document."""
LARGEST = 64 << 20
"""Maximum bytes of a reference."""


def reference_path(folder: Path, numerics_class: str) -> Path:
    """Return the path of a class's reference next to a lock, existing or not."""
    return folder / FOLDER / f"{numerics_class}.json"


def write_reference(folder: Path, record: Record) -> Path:
    """Store a record as the reference of its class; replaces that of an older lock.

    Raises ``CheckError`` for a record with a training without any finite result.
    """
    from freezer.check.compare.finite import nothing_finite  # imports the comparison, when needed

    for training in record.trainings:
        reason = training.failure or nothing_finite(training)
        if reason is not None:
            raise CheckError(
                f"the results of {training.name} cannot become a reference",
                found=reason.splitlines()[0],
                hint="fix the training, then run `freeze check` again",
            )
    path = reference_path(folder, record.host.class_)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = plain(record)
    document["integrity"] = _integrity(document)
    write_atomically(path, f"{_text(document, 0)}\n".encode())
    return path


def _text(value: object, depth: int) -> str:
    """Return JSON with one line an observation, for readable version control diffs."""
    if depth == _ON_ONE_LINE or not isinstance(value, (dict, list)) or not value:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    inner, outer = "\n" + " " * (depth + 1), "\n" + " " * depth
    if isinstance(value, list):
        return f"[{inner}{f',{inner}'.join(_text(item, depth + 1) for item in value)}{outer}]"
    lines = (f"{json.dumps(key)}: {_text(value[key], depth + 1)}" for key in sorted(value))
    return f"{{{inner}{f',{inner}'.join(lines)}{outer}}}"


def read_reference(path: Path, shown: str) -> Record | None:
    """Return a reference; None when there is none.

    Raises ``CheckError`` when it is malformed, or was changed by something other than Freezer.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _unreadable(shown, "not a regular file")
        if status.st_size > LARGEST:
            raise _edited(shown, "the file is too large")
        return parse_reference(path.read_bytes(), shown)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(shown, error.strerror) from None


def parse_reference(data: bytes, shown: str) -> Record:
    """Parse a reference; ``shown`` is its location for messages.

    Raises ``CheckError`` when it is malformed, or was changed by something other than Freezer.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _edited(shown, f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _edited(shown, "it is not a JSON object")
    if not _is_intact(document):
        raise _edited(shown, "its content does not have the digest in it")
    try:
        return Record.model_validate(document)
    except ValidationError as error:
        raise _foreign(shown, error) from None


@dataclass(frozen=True)
class References:
    """The references stored next to a lock, for comparison with one of its records."""

    own: Record | None = None
    """The one of this lock and the record's numerics class."""
    earlier: Record | None = None
    """The one of that class but an earlier lock, if this lock was not checked on one yet."""
    others: tuple[tuple[str, Record], ...] = ()
    """Those of this lock and other numerics classes, by title, without unreadable ones."""


def stored_references(folder: Path, record: Record, shown: str, *, anew: bool) -> References:
    """Return the references stored next to a record's lock.

    ``shown`` is the path of the record's class for messages. With ``anew`` that one is not read, as
    it will be replaced. Raises ``CheckError`` when it is corrupt.
    """
    others = tuple(_others(folder, record))
    class_ = record.host.class_
    stored = None if anew else read_reference(reference_path(folder, class_), shown)
    if stored is None or stored.lock_id == record.lock_id:
        return References(own=stored, others=others)
    return References(earlier=stored, others=others)


def _others(folder: Path, record: Record) -> Iterator[tuple[str, Record]]:
    for name in references(folder):
        if name == record.host.class_:
            continue
        with suppress(CheckError):  # for information only
            other = read_reference(reference_path(folder, name), f"{FOLDER}/{name}.json")
            has_its_name = other is not None and other.host.class_ == name
            if other is not None and has_its_name and other.lock_id == record.lock_id:
                yield f"numerics class {name}", other


def references(folder: Path) -> list[str]:
    """Return the numerics classes with a reference next to a lock."""
    return sorted(path.stem for path in (folder / FOLDER).glob("*.json"))


def all_references(folder: Path, lock_id: str) -> tuple[Record, ...]:
    """Return the references of a lock, by numerics class. Raises ``CheckError``."""
    read = (
        read_reference(reference_path(folder, name), f"{FOLDER}/{name}.json")
        for name in references(folder)
    )
    return tuple(one for one in read if one is not None and one.lock_id == lock_id)


def _is_intact(document: dict[str, object]) -> bool:
    """Return whether a document has the digest that it declares, which is removed from it."""
    claimed = document.pop("integrity", None)
    try:
        return claimed == _integrity(document)
    except (ValueError, RecursionError):
        return False  # NaN, a lone surrogate, too deep: never written by Freezer


def _integrity(document: dict[str, object]) -> str:
    return f"sha256:{digest(json_bytes(document))}"


def _unreadable(shown: str, found: str | None) -> CheckError:
    return CheckError(
        "the reference cannot be read",
        where=Where(shown),
        found=found,
        expected="a file written by `freeze check`",
        hint="make it readable, or remove it and record it again with `freeze check`",
    )


def _foreign(shown: str, error: ValidationError) -> CheckError:
    """Return the error for an intact reference of an unknown form."""
    first = error.errors(include_url=False, include_input=False)[0]
    return CheckError(
        "the reference was written by another version of Freezer",
        where=Where(shown),
        found=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
        expected=RECORD_SCHEMA,
        hint="check with that version, or record it again with `freeze check --record`",
    )


def _edited(shown: str, found: str) -> CheckError:
    return CheckError(
        "the reference was changed by something other than `freeze check`",
        where=Where(shown),
        found=found,
        expected="exactly the bytes that `freeze check` wrote",
        hint="restore it from version control, or remove it and record it again with "
        "`freeze check`",
    )
