"""Signed statements: DSSE envelopes (https://github.com/secure-systems-lab/dsse).

Made and verified by securesystemslib. A key ID in an envelope is a hint that anybody may write:
every signature is tried with every given key, and only the keys that verify one count.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import IntegrityError, Where
from freezer.model.parsing import parse_json_strictly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.governance.attest.keys import PublicKey, Signer

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_MOST: Final = 100
"""Signatures of one envelope."""
_URL_SAFE: Final = str.maketrans("-_", "+/")


def sign(payload: bytes, signer: Signer) -> dict[str, Any]:
    """Return the envelope of a statement, as a JSON object."""
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(signer.key)
    found: dict[str, Any] = envelope.to_dict()
    return found


def verify(
    document: object, keys: Sequence[PublicKey], shown: str
) -> tuple[bytes, tuple[PublicKey, ...]]:
    """Return the payload of an envelope, and the keys that signed it; none where no key did.

    Raises ``IntegrityError`` for what is no envelope with a statement.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature

    payload, signatures = parts(document, shown)
    message = Envelope(payload, PAYLOAD_TYPE, {}).pae()
    found = []
    for key in keys:
        for _, signature in signatures:
            try:
                key.key.verify_signature(Signature(key.fingerprint, signature.hex()), message)
            except UnverifiedSignatureError:
                continue
            found.append(key)
            break
    return payload, tuple(found)


def parts(document: Any, shown: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Return the payload of an envelope, and its signatures by key ID; nothing is verified.

    Raises ``IntegrityError`` for what is no envelope with a statement.
    """
    try:
        if document["payloadType"] != PAYLOAD_TYPE:
            raise no_statement(shown, f"payloadType {str(document['payloadType'])[:80]}")
        payload = _decoded(document["payload"])
        listed = document["signatures"]
        if not isinstance(listed, list) or not 0 < len(listed) <= _MOST:
            raise no_statement(shown, f"no list of 1 to {_MOST} signatures")
        return payload, [(_key_id(one), _decoded(one["sig"])) for one in listed]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise no_statement(shown, f"{type(error).__name__}: {error}"[:200]) from None


def parse_document(data: bytes, shown: str) -> dict[str, Any]:
    """Return the JSON object in a file. Raises ``IntegrityError``."""
    try:
        document = parse_json_strictly(data)
    except ValueError as error:
        raise no_statement(shown, f"no JSON: {error}"[:200]) from None
    if not isinstance(document, dict):
        raise no_statement(shown, "JSON that is no object")
    return document


def no_statement(shown: str, found: str) -> IntegrityError:
    """Return the error for a file that is neither an envelope nor a bundle with one."""
    return IntegrityError(
        "this is no signed statement",
        where=Where(shown),
        found=found,
        expected=f"a DSSE envelope, or a Sigstore bundle with one, of type {PAYLOAD_TYPE}",
    )


def _key_id(signature: Any) -> str:
    found = signature.get("keyid")
    usable = isinstance(found, str) and found.isascii() and found.isprintable()
    return found[:500] if usable else ""


def _decoded(text: Any) -> bytes:
    """Return what base64 stands for; DSSE allows both alphabets."""
    return base64.b64decode(text.translate(_URL_SAFE), validate=True)
