"""A signature over files by their digests: of an archive's inventories, or of any other file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.governance.attest.bundle import sign_statement, verify_statement
from freezer.governance.attest.statement import Subject, parse_statement, statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.governance.attest.keys import PublicKey, Signer

ARCHIVE: Final = "urn:freezer-ml:archive:v1"
"""Type of the statement that an archive holds what its inventories list."""


def sign_files(digests: Mapping[str, str], signer: Signer, kind: str = ARCHIVE) -> bytes:
    """Return a signed statement about some files, by name and SHA-256; it has no time in it."""
    subjects = [Subject(name, digests[name]) for name in sorted(digests)]
    return sign_statement(statement(subjects, kind, {}), signer)


def verify_files(
    data: bytes, keys: Sequence[PublicKey], shown: str, kind: str = ARCHIVE
) -> tuple[dict[str, str], tuple[PublicKey, ...], str | None]:
    """Return the files of a signed statement, the keys that signed it, and why it does not count.

    The caller compares the digests, and the certificates' validity. Raises ``IntegrityError`` for
    what is no signed statement.
    """
    payload, signers = verify_statement(data, keys, shown)
    if not signers:
        return {}, (), "none of the given keys signed it"
    stated = parse_statement(payload, shown)
    if stated.predicate_type != kind:
        return {}, signers, f"it is not of type {kind}, but {stated.predicate_type[:200]}"
    return {one.name: one.sha256 for one in stated.subjects}, signers, None
