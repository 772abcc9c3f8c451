"""Signed statements: DSSE envelopes, by securesystemslib, with keys as PEM files.

ed25519 and ECDSA P-256. A key ID in an envelope is a hint that anybody may write: every signature
is tried with every given key, and only the keys that verify one count.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import IntegrityError, SpecError, Where

if TYPE_CHECKING:
    from collections.abc import Sequence

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_MOST: Final = 100
"""Signatures of one envelope."""
_KINDS: Final = ("ed25519", "ecdsa")
_EXPECTED: Final = "a PEM file with an ed25519 or ECDSA P-256 key"


@dataclass(frozen=True)
class PublicKey:
    """A key that may have signed."""

    file: str
    """As the user named it."""
    key: Any
    """A ``securesystemslib.signer.SSlibKey``."""

    @property
    def fingerprint(self) -> str:
        """The key's ID: 64 hexadecimal digits."""
        return str(self.key.keyid)


def sign(payload: bytes, private_key: bytes, file: str, password: bytes | None) -> bytes:
    """Return the envelope of a statement. Raises ``SpecError`` for a key that cannot be used."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    signer = CryptoSigner(_private(private_key, file, password))
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return (json.dumps(envelope.to_dict(), indent=1, sort_keys=True) + "\n").encode()


def public_key(data: bytes, file: str) -> PublicKey:
    """Return the public key in a PEM file. Raises ``SpecError``."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        key = SSlibKey.from_crypto(load_pem_public_key(data))
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = None
        if b"PRIVATE KEY" in data:
            hint = "this is a private key; its public half: `openssl pkey -in KEY -pubout`"
        raise SpecError(
            "this is no public key", where=Where(file), found=str(error)[:200],
            expected=_EXPECTED, hint=hint,
        ) from None  # fmt: skip
    _require_kind(key, file)
    return PublicKey(file, key)


def verify(
    data: bytes, keys: Sequence[PublicKey], shown: str
) -> tuple[bytes, tuple[PublicKey, ...]]:
    """Return the payload of an envelope, and the keys that signed it; none where no key did.

    Raises ``IntegrityError`` for what is no envelope with a statement.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature

    payload, signatures = _parsed(data, shown)
    message = Envelope(payload, PAYLOAD_TYPE, {}).pae()
    found = []
    for key in keys:
        for signature in signatures:
            try:
                key.key.verify_signature(Signature(key.fingerprint, signature.hex()), message)
            except UnverifiedSignatureError:
                continue
            found.append(key)
            break
    return payload, tuple(found)


def _parsed(data: bytes, shown: str) -> tuple[bytes, list[bytes]]:
    try:
        document = json.loads(data)
        if document["payloadType"] != PAYLOAD_TYPE:
            raise _no_envelope(shown, f"payloadType {str(document['payloadType'])[:80]}")
        payload = base64.b64decode(document["payload"], validate=True)
        listed = document["signatures"]
        if not isinstance(listed, list) or not 0 < len(listed) <= _MOST:
            raise _no_envelope(shown, f"no list of 1 to {_MOST} signatures")
        return payload, [base64.b64decode(one["sig"], validate=True) for one in listed]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise _no_envelope(shown, f"{type(error).__name__}: {error}"[:200]) from None


def _no_envelope(shown: str, found: str) -> IntegrityError:
    return IntegrityError(
        "this is no signed statement",
        where=Where(shown),
        found=found,
        expected=f"a DSSE envelope with a payload of type {PAYLOAD_TYPE}",
    )


def _private(data: bytes, file: str, password: bytes | None) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import SSlibKey

    def refused(found: str, hint: str | None = None) -> SpecError:
        return SpecError(
            "this key cannot sign", where=Where(file), found=found, expected=_EXPECTED, hint=hint
        )

    try:
        key = load_pem_private_key(data, password or None)
        public = SSlibKey.from_crypto(key.public_key())
    except TypeError as error:
        encrypted = "encrypted" in str(error) and not password
        hint = (
            "give its password in FREEZER_KEY_PASSWORD"
            if encrypted
            else "unset FREEZER_KEY_PASSWORD"
        )
        raise refused("it is encrypted" if encrypted else "it is not encrypted", hint) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = (
            "check FREEZER_KEY_PASSWORD"
            if password
            else "make one: `openssl genpkey -algorithm ed25519`"
        )
        raise refused(str(error)[:200], hint) from None
    _require_kind(public, file)
    return key


def _require_kind(key: Any, file: str) -> None:
    if key.keytype not in _KINDS or key.scheme not in ("ed25519", "ecdsa-sha2-nistp256"):
        raise SpecError(
            "keys of this kind are not used", where=Where(file),
            found=f"{key.keytype} {key.scheme}",
            expected=_EXPECTED,
        )  # fmt: skip
