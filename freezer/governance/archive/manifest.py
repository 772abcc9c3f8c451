"""The manifest of a version: every file by SHA-256, as an in-toto statement that can be signed.

It is a file of the version itself, so that it stays with it wherever the archive is copied to. It
has no time in it: the same files give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer.governance.attest.statement import Subject, parse_statement, statement

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sigstore.json"
"""A Sigstore bundle with the manifest's bytes as its payload."""
PREDICATE_TYPE: Final = "urn:freezer-ml:archive-version:v1"
LARGEST: Final = 64 << 20
"""Bytes of a manifest, and of a bundle."""


@dataclass(frozen=True)
class Manifest:
    """What a version holds."""

    environment: str
    lock_id: str
    runs: Mapping[str, str | None]
    """ID of each run to the ID of the lock that it was made with; None where it had none."""
    files: Mapping[str, str]
    """Path to SHA-256, without the manifest itself and its signature."""


def manifest_bytes(found: Manifest) -> bytes:
    """Return the statement's bytes."""
    subjects = [Subject(path, sha256) for path, sha256 in sorted(found.files.items())]
    predicate = {
        "environment": found.environment,
        "lock-id": found.lock_id,
        "runs": dict(sorted(found.runs.items())),
    }
    return statement(subjects, PREDICATE_TYPE, predicate)


def parse_manifest(data: bytes, shown: str) -> Manifest:
    """Return the manifest in a file's bytes.

    Raises ``IntegrityError`` for what is no statement, ``ValueError`` for one of another kind.
    """
    stated = parse_statement(data, shown)
    if stated.predicate_type != PREDICATE_TYPE:
        raise ValueError(f"not a statement of type {PREDICATE_TYPE}")
    runs = stated.predicate.get("runs")
    environment, lock_id = (stated.predicate.get(one) for one in ("environment", "lock-id"))
    if not isinstance(runs, dict) or not isinstance(environment, str):
        raise ValueError("a statement without environment and runs")
    if not isinstance(lock_id, str):
        raise ValueError("a statement without a lock")
    files = {one.name: one.sha256 for one in stated.subjects}
    return Manifest(environment, lock_id, {k: _text(v) for k, v in runs.items()}, files)


def listed(state: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a version that its manifest has to list."""
    return {path: sha256 for path, sha256 in state.items() if path not in (MANIFEST, SIGNATURE)}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
