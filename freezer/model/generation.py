"""Entries of an environment's history: the generations of its lock, and the checks of each."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter

from freezer.model.base import Digest, Model, Sha256
from freezer.model.canonical import digest, json_bytes, plain
from freezer.model.record.word import Word


def _printable(text: str) -> str:
    """Refuse line ends, escape sequences and marks that turn text around."""
    if not text.isprintable():
        msg = "printable characters only"
        raise ValueError(msg)
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_printable)]
"""One line that a person may have written."""
Date = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
"""UTC, to the second."""
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Number = Annotated[int, Field(ge=1, lt=2**31)]
File = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""The plain name of a file stored next to a lock."""
Parents = Annotated[tuple[Digest, ...], Field(max_length=64)]
Action = Literal["lock", "update", "rollback", "merge"]


class Generation(Model):
    """A lock that was, or is, the current one."""

    kind: Literal["generation"] = "generation"
    number: Number
    """One more than the greatest before; two branches may have given the same one."""
    parents: Parents = ()
    """Digests of the entries that this one follows: none for the first, several for a merge."""
    date: Date
    action: Action
    lock_id: Sha256
    image: Digest | None = None
    """ID of its image, where it was known when this was written."""
    files: dict[File, Sha256] = {}
    """Every file written next to the lock, and its SHA-256."""
    reason: Text | None = None
    who: Text | None = None
    """Name and mail of the author, from git."""
    commit: Commit | None = None
    """The commit that was checked out; this entry is in a later one."""
    plan: Sha256 | None = None
    """SHA-256 of the plan that was given with it, which is kept in ``plans`` next to the lock."""
    summary: Text
    """What changed, in one line."""
    deviation: bool = False
    """True when it was made current against a verdict."""


class Checked(Model):
    """A check of a generation on some host."""

    kind: Literal["check"] = "check"
    parents: Parents = ()
    date: Date
    generation: Number
    lock_id: Sha256
    class_: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")] = Field(
        alias="class"
    )
    """The host's numerics class."""
    word: Word
    image: Digest
    reference: Sha256 | None = None
    """SHA-256 of the reference's file; None where there was none, and none was recorded."""
    inventory: Sha256 | None = None
    """SHA-256 of the inventory that is kept with the lock; None where there is none."""
    who: Text | None = None
    commit: Commit | None = None
    cpu: Text


Entry = Annotated[Generation | Checked, Field(discriminator="kind")]
_ENTRY: Final[TypeAdapter[Generation | Checked]] = TypeAdapter(Entry)


def entry_line(entry: Generation | Checked) -> bytes:
    """Return an entry's line in the history, without the line end; equal entries, equal bytes."""
    return json_bytes(plain(entry))


def entry_digest(entry: Generation | Checked) -> str:
    """Return the digest by which a later entry names this one: of its line."""
    return f"sha256:{digest(entry_line(entry))}"


def parse_entry(line: bytes) -> Generation | Checked:
    """Return the entry in a line.

    Raises ``ValueError`` when it is none or not in canonical form; pydantic's is one as well.
    """
    document: Any = json.loads(line)
    entry = _ENTRY.validate_python(document)
    if entry_line(entry) != line:
        msg = "the line is not in its canonical form"
        raise ValueError(msg)
    return entry
