"""Sigstore bundles, version 0.3: the form in which current cosign stores signatures.

https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto. The key is named
by a hint; there is no entry of a transparency log and no timestamp.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from freezer.governance.attest.envelope import (
    PAYLOAD_TYPE,
    no_statement,
    parse_document,
    parts,
    sign,
    verify,
)
from freezer.model.canonical import json_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.governance.attest.keys import PublicKey, Signer

MEDIA: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PREFIX: Final = "application/vnd.dev.sigstore.bundle"
_KNOWN: Final = {MEDIA, *(f"{_PREFIX}+json;version=0.{minor}" for minor in (1, 2, 3))}
CONTENT: Final = "dev.sigstore.bundle.content"
PREDICATE: Final = "dev.sigstore.bundle.predicateType"
"""Annotations of the artifact that holds a bundle in a registry, as cosign writes them."""
ENVELOPE: Final = "dsse-envelope"
"""What the annotation says of a bundle with a statement."""


def sign_statement(payload: bytes, signer: Signer) -> bytes:
    """Return the bundle of a signed statement. With ed25519, equal statements give equal bytes."""
    return _bundle(sign(payload, signer), signer.hint)


def as_bundles(data: bytes, shown: str) -> list[bytes]:
    """Return a stored statement as bundles, which hold one signature each.

    Raises ``IntegrityError`` for what is neither a bundle nor an envelope.
    """
    document = parse_document(data, shown)
    if "mediaType" in document:
        _envelope(document, shown)
        return [data]
    payload, signatures = parts(document, shown)
    envelope = {"payload": _text(payload), "payloadType": PAYLOAD_TYPE}
    return [
        _bundle({**envelope, "signatures": [{"keyid": key, "sig": _text(one)}]}, key)
        for key, one in signatures
    ]


def verify_statement(
    data: bytes, keys: Sequence[PublicKey], shown: str
) -> tuple[bytes, tuple[PublicKey, ...]]:
    """Return the payload of a bundle or an envelope, and the keys that signed it.

    Raises ``IntegrityError`` for what is neither.
    """
    document = parse_document(data, shown)
    return verify(_envelope(document, shown) if "mediaType" in document else document, keys, shown)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bundle(envelope: dict[str, Any], hint: str) -> bytes:
    return json_bytes(
        {
            "mediaType": MEDIA,
            "verificationMaterial": {
                "publicKey": {"hint": hint},
                "timestampVerificationData": {"rfc3161Timestamps": []},
                "tlogEntries": [],
            },
            "dsseEnvelope": envelope,
        }
    )


def _envelope(document: dict[str, Any], shown: str) -> Any:
    if str(document["mediaType"]) not in _KNOWN:
        raise no_statement(shown, f"mediaType {str(document['mediaType'])[:80]}")
    envelope = document.get("dsseEnvelope")
    if not isinstance(envelope, dict):
        has = "a signature of a file, not of a statement"
        raise no_statement(shown, has if "messageSignature" in document else "no dsseEnvelope")
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise no_statement(shown, "a bundle without exactly one signature")
    return envelope
