"""A lock as a file: its text, its ID, and how a text becomes a lock again.

The file carries a digest of its own content. That is no defence against an attacker, who can
recompute it; it is there so that a hand edit or a bad merge is named as such, and not found out
later as a strange build.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml
from pydantic import ValidationError

from freezer.errors import LockError, Where
from freezer.model import file_names
from freezer.model.canonical import digest, plain, yaml_text
from freezer.model.canonical_read import read_yaml_text
from freezer.model.lock import LOCK_SCHEMA, Lock

LOCK_FILE = file_names.LOCK_FILE

HEADER = """\
# Written by `freeze lock`. Do not edit: change freeze.yaml and lock again.
# The SHA-256 of this file is the lock ID, and the image follows from this file alone.
"""
_RELOCK = "restore the file from version control, or start afresh with `freeze lock --upgrade`"
_CONFLICT = b"\n<<<<<<< "


def lock_bytes(lock: Lock) -> bytes:
    """Return the lock's file; equal locks give equal bytes."""
    parts = {key: yaml_text({key: value}) for key, value in plain(lock).items()}
    content = "".join(parts[key] for key in sorted(parts))
    parts["integrity"] = yaml_text({"integrity": f"sha256:{digest(content.encode())}"})
    return (HEADER + "".join(parts[key] for key in sorted(parts))).encode()


def lock_id(data: bytes) -> str:
    """Return the lock ID: the SHA-256 of the lock's file, 64 hexadecimal digits."""
    return digest(data)


def short_id(identifier: str) -> str:
    """Return the first 12 digits: the image's tag, and what messages show."""
    return identifier[:12]


def parse_lock(data: bytes, name: str) -> Lock:
    """Return the lock in a file's bytes; ``name`` is the file's name, for messages.

    Raises ``LockError`` when it is not a lock, is of another schema, or was edited by hand.
    """
    lock = _sound(data)
    return _judged(data, name) if lock is None else lock


@lru_cache(maxsize=4)
def _sound(data: bytes) -> Lock | None:
    """Return the lock in a file's bytes, read once a run; None for what is to be looked at closely.

    A lock that gives these very bytes has the integrity that they claim.
    """
    try:
        document = read_yaml_text(data.decode())
        document.pop("integrity", None)
        lock = Lock.model_validate(document)
    except ValueError:  # of the text, or of pydantic
        return None
    return lock if lock_bytes(lock) == data else None


def _judged(data: bytes, name: str) -> Lock:
    """Return a lock, or say what is wrong with it."""
    document = _document(data, name)
    _require_schema(document, name)
    claimed = document.pop("integrity", None)
    if claimed is None or claimed != _integrity_or_none(document):
        raise LockError(
            "the lock was changed by something other than `freeze lock`",
            where=Where(name, key="integrity"),
            found=f"content with another digest than the {claimed} that it claims",
            hint=_RELOCK,
        )
    try:
        lock = Lock.model_validate(document)
    except ValidationError as error:
        raise _invalid(error, name) from None
    if lock_bytes(lock) != data:
        crlf = b"\r\n" in data
        raise LockError(
            "the lock is not in its canonical form",
            where=Where(name),
            found="lines that end in CR LF, as git writes them on Windows" if crlf else None,
            hint="`git config core.autocrlf input`, then check it out anew" if crlf else _RELOCK,
        )
    return lock


def _document(data: bytes, name: str) -> dict[str, Any]:
    try:
        document = _loaded(data.decode())
    except UnicodeDecodeError:
        raise LockError("the lock is not UTF-8 text", where=Where(name), hint=_RELOCK) from None
    except (ValueError, yaml.YAMLError) as error:  # such as a date with a 13th month
        if _CONFLICT in data:
            raise LockError(
                "the lock holds git's conflict markers",
                where=Where(name, data.partition(_CONFLICT)[0].count(b"\n") + 2),
                hint="take one side whole, `git checkout --ours` (or `--theirs`) and this file, "
                "then run `freeze log --join`",
            ) from None
        mark = getattr(error, "problem_mark", None)
        raise LockError(
            "the lock is not valid YAML",
            where=Where(name, None if mark is None else mark.line + 1),
            found=str(getattr(error, "problem", error) or "broken text"),
            hint=_RELOCK,
        ) from None
    if not isinstance(document, dict):
        raise LockError("the file is not a lock", where=Where(name), hint=_RELOCK)
    return document


def _loaded(text: str) -> Any:
    """Return what a text holds, but for what grows as it is read, which no lock has.

    References multiply a value, and nesting takes a parser's stack. Raises ``yaml.YAMLError``, and
    ``ValueError`` for a value that looks like a date or a number and is none.
    """
    from freezer.model.yaml_document import require_shallow  # seldom: most locks are canonical

    require_shallow(text)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, loader)  # noqa: S506 - both are safe loaders
    except LookupError as error:  # a tag such as `!!bool` on another text
        msg = f"a value that is none of its type: {error}"
        raise ValueError(msg) from error


def _require_schema(document: dict[str, Any], name: str) -> None:
    schema = document.get("schema")
    if schema != LOCK_SCHEMA:
        raise LockError(
            "the lock is of a schema that this version of Freezer does not read",
            where=Where(name, key="schema"),
            found=str(schema),
            expected=LOCK_SCHEMA,
            hint="install the version of Freezer that wrote it, or run `freeze lock --upgrade`",
        )


def _integrity(document: dict[str, Any]) -> str:
    return f"sha256:{digest(yaml_text(document).encode())}"


def _integrity_or_none(document: dict[str, Any]) -> str | None:
    try:
        return _integrity(document)
    except TypeError:  # a value that no lock holds, such as a float or a date
        return None


def _invalid(error: ValidationError, name: str) -> LockError:
    first = error.errors(include_url=False)[0]
    return LockError(
        "the lock does not have the form that its schema demands",
        where=Where(name, key=".".join(str(part) for part in first["loc"])),
        found=repr(first.get("input"))[:80],
        expected=first["msg"],
        hint=_RELOCK,
    )
