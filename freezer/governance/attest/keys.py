"""Keys of signatures: ed25519 and ECDSA P-256, as PEM or OpenSSH files, or in certificates.

A certificate carries a key, like a file of a public key: whoever names it trusts it. Its issuer is
not verified; its validity is, at a time that the verifier chooses. No time in a signed document
counts, since the signer wrote it.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import SpecError, Where

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

PASSWORD: Final = "FREEZER_KEY_PASSWORD"  # noqa: S105 - the variable's name
_SCHEMES: Final = {("ed25519", "ed25519"), ("ecdsa", "ecdsa-sha2-nistp256")}
_EXPECTED: Final = "a file with one ed25519 or ECDSA P-256 key, as PEM or in OpenSSH's format"
_MAKE: Final = "make one: `openssl genpkey -algorithm ed25519 -aes-256-cbc -out team.key`"
_BEGIN: Final = b"-----BEGIN "
_OPENSSH: Final = b"OPENSSH PRIVATE KEY"
_SSH_PUBLIC: Final = (b"ssh-", b"ecdsa-sha2-", b"sk-")


@dataclass(frozen=True)
class PublicKey:
    """A key that may have signed."""

    file: str
    """As the user named it."""
    key: Any
    """A ``securesystemslib.signer.SSlibKey``."""
    validity: tuple[datetime, datetime] | None = None
    """First and last second of its certificate; None for a key without one."""

    @property
    def fingerprint(self) -> str:
        """The key's ID: 64 hexadecimal digits."""
        return str(self.key.keyid)

    def lapse(self, at: datetime) -> str | None:
        """Return why its certificate does not count at a time; None where it does, or has none."""
        if self.validity is None:
            return None
        first, last = self.validity
        if at < first:
            return f"the certificate {self.file} is not valid before {first:%Y-%m-%d %H:%M} UTC"
        if at > last:
            return f"the certificate {self.file} expired on {last:%Y-%m-%d %H:%M} UTC"
        return None


@dataclass(frozen=True)
class Signer:
    """A private key that signs."""

    key: Any
    """A ``securesystemslib.signer.CryptoSigner``."""
    hint: str
    """SHA-256 of the public key in DER, base64: how Sigstore's bundles name a key."""

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return PublicKey("", self.key.public_key)


def private_key(
    data: bytes,
    file: str,
    password: bytes | None = None,
    ask: Callable[[], bytes | None] = lambda: None,
) -> Signer:
    """Return the signer of a private key.

    ``ask`` is called for the password of an encrypted key where none was given. Raises
    ``SpecError`` for what cannot sign.
    """
    from securesystemslib.signer import CryptoSigner, SSlibKey

    _require_private(data, file)
    try:
        key = _load_private(data, file, password, ask)
        public = SSlibKey.from_crypto(key.public_key())
    except ValueError as error:
        secret = password or b"ENCRYPTED" in data
        hint = f"check the password ({PASSWORD}, --password-file)" if secret else _MAKE
        raise _unusable("this key cannot sign", file, str(error)[:200], hint) from None
    _require_kind(public, file)
    return Signer(CryptoSigner(key, public), _hint(key.public_key()))


def public_key(data: bytes, file: str) -> PublicKey:
    """Return the public key in a file: PEM, OpenSSH, or a certificate. Raises ``SpecError``."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from securesystemslib.signer import SSlibKey

    if b"PRIVATE KEY" in data:
        raise _unusable(
            "this is no public key", file, "a private key",
            f"its public half: `openssl pkey -in {file} -pubout`, and for a key in OpenSSH's "
            f"format `ssh-keygen -y -f {file}`",
        )  # fmt: skip
    if data.count(_BEGIN) > 1:
        raise _unusable(
            "this file has several keys", file, f"{data.count(_BEGIN)} blocks",
            "give --key once for each key, and a certificate without its issuers",
        )  # fmt: skip
    if _BEGIN not in data and not data.startswith(_SSH_PUBLIC):
        raise _unusable("this is no public key", file, "no key", _binary(data, " -pubin"))
    try:
        loaded, validity = _load_public(data, file)
        key = SSlibKey.from_crypto(loaded)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable("this is no public key", file, str(error)[:200], None) from None
    _require_kind(key, file)
    return PublicKey(file, key, validity)


def _require_private(data: bytes, file: str) -> None:
    found, hint = None, None
    if b"SIGSTORE PRIVATE KEY" in data or b"COSIGN PRIVATE KEY" in data:
        found = "a key in cosign's own encryption"
        hint = f"{_MAKE}; `cosign import-key-pair --key team.key` gives the same key to cosign"
    elif b"PRIVATE KEY" not in data:
        if b"CERTIFICATE" in data:
            found, hint = "a certificate", "give the private key that belongs to it"
        elif b"PUBLIC KEY" in data or data.startswith(_SSH_PUBLIC):
            found, hint = "a public key, which only verifies", "give its private half"
        else:
            found, hint = "no private key", _binary(data) or _MAKE
    if found is not None:
        raise _unusable("this key cannot sign", file, found, hint)


def _load_private(
    data: bytes, file: str, password: bytes | None, ask: Callable[[], bytes | None]
) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        load_pem_private_key,
        load_ssh_private_key,
    )

    load = load_ssh_private_key if _OPENSSH in data else load_pem_private_key
    try:
        try:
            return load(data, password or None)
        except TypeError:  # encrypted, and no password given; or the other way round
            if password:
                raise _unusable(
                    "this key cannot sign", file, "it is not encrypted", f"unset {PASSWORD}"
                ) from None
        if given := ask():
            return load(data, given)
    except UnsupportedAlgorithm as error:
        hint = None
        if _OPENSSH in data:
            hint = f"install bcrypt next to Freezer, for OpenSSH's encryption; or {_MAKE}"
        raise _unusable("this key cannot sign", file, str(error)[:200], hint) from None
    raise _unusable(
        "this key cannot sign", file, "it is encrypted",
        f"give its password in {PASSWORD} or --password-file",
    )  # fmt: skip


def _load_public(data: bytes, file: str) -> tuple[Any, tuple[datetime, datetime] | None]:
    from cryptography.hazmat.primitives.serialization import (
        load_pem_public_key,
        load_ssh_public_key,
    )
    from cryptography.x509 import ExtensionNotFound, KeyUsage, load_pem_x509_certificate

    if b"BEGIN CERTIFICATE" not in data:
        load = load_ssh_public_key if data.startswith(_SSH_PUBLIC) else load_pem_public_key
        return load(data), None
    certificate = load_pem_x509_certificate(data)
    try:
        usage = certificate.extensions.get_extension_for_class(KeyUsage).value
        if not usage.digital_signature:
            raise _unusable(
                "this certificate is not for signatures", file,
                "a key usage without digitalSignature", None,
            )  # fmt: skip
    except ExtensionNotFound:
        pass
    return certificate.public_key(), (
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def _hint(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def _binary(data: bytes, more: str = "") -> str | None:
    """Return what to do about a key in DER, which starts with the tag of an ASN.1 sequence."""
    return f"convert it to PEM: `openssl pkey -inform DER{more}`" if data[:1] == b"\x30" else None


def _unusable(what: str, file: str, found: str, hint: str | None) -> SpecError:
    return SpecError(what, where=Where(file), found=found, expected=_EXPECTED, hint=hint)


def _require_kind(key: Any, file: str) -> None:
    if (key.keytype, key.scheme) not in _SCHEMES:
        raise _unusable(
            "keys of this kind are not used", file, f"{key.keytype} {key.scheme}", _MAKE
        )
