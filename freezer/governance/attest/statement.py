"""in-toto statements, version 1: https://github.com/in-toto/attestation/tree/main/spec/v1."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import IntegrityError, Where
from freezer.model.canonical import json_bytes
from freezer.model.parsing import parse_json_strictly

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
IMAGE_SIGNATURE: Final = "https://sigstore.dev/cosign/sign/v1"
"""What cosign states of an image that it signs: nothing but that it did."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOST: Final = 100_000
"""Subjects of one statement."""


@dataclass(frozen=True)
class Subject:
    """What a statement is about."""

    name: str
    """Empty where there is none."""
    sha256: str


@dataclass(frozen=True)
class Statement:
    """What somebody says about some subjects."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]

    def digest_of(self, name: str) -> str | None:
        """Return the SHA-256 of the subject with a name; None where there is none."""
        return next((one.sha256 for one in self.subjects if one.name == name), None)

    def is_about(self, sha256: str) -> bool:
        """Return whether a subject has a digest."""
        return any(one.sha256 == sha256 for one in self.subjects)


def statement(
    subjects: Sequence[Subject], predicate_type: str, predicate: Mapping[str, Any]
) -> bytes:
    """Return the bytes of a statement; the same statement gives the same bytes."""
    listed: list[dict[str, Any]] = []
    for one in subjects:
        named = {"name": one.name} if one.name else {}
        listed.append({**named, "digest": {"sha256": one.sha256}})
    return json_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": listed,
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    )


def parse_statement(payload: bytes, shown: str) -> Statement:
    """Return the statement in a signed payload. Raises ``IntegrityError``."""
    try:
        return _statement(parse_json_strictly(payload))
    except ValueError as error:
        raise IntegrityError(
            "the signed text is no statement", where=Where(shown), found=str(error)[:200],
            expected=f"an in-toto statement of type {STATEMENT_TYPE}",
        ) from None  # fmt: skip


def image_signature(manifest: str) -> bytes:
    """Return the statement by which an image is signed; ``manifest`` is the SHA-256 of its own."""
    return statement([Subject("", manifest)], IMAGE_SIGNATURE, {})


def _statement(document: Any) -> Statement:
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        msg = f"not of type {STATEMENT_TYPE}"
        raise ValueError(msg)
    listed, kind = document.get("subject"), document.get("predicateType")
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST:
        msg = "the statement is about nothing"
        raise ValueError(msg)
    if not isinstance(kind, str):
        msg = "no predicateType"
        raise ValueError(msg)
    predicate = document.get("predicate") or {}
    if not isinstance(predicate, dict):
        msg = "a predicate that is no object"
        raise ValueError(msg)
    subjects = tuple(_subject(one) for one in listed)
    names = [one.name for one in subjects if one.name]
    if len(set(names)) != len(names):
        msg = "two subjects of one name"
        raise ValueError(msg)
    return Statement(subjects, kind, predicate)


def _subject(entry: Any) -> Subject:
    digest = entry.get("digest") if isinstance(entry, dict) else None
    sha256 = digest.get("sha256") if isinstance(digest, dict) else None
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        msg = "a subject without a SHA-256"
        raise ValueError(msg)
    name = entry.get("name") or ""
    if not isinstance(name, str):
        msg = "a subject whose name is no text"
        raise ValueError(msg)
    return Subject(name, sha256)
