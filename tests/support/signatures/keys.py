"""Keys and certificates for tests of signatures: real ones, made anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

MAKERS: dict[str, Any] = {
    "ed25519": Ed25519PrivateKey.generate,
    "ecdsa": lambda: generate_private_key(SECP256R1()),
}


def private(
    key: Any,
    encryption: KeySerializationEncryption | None = None,
    form: PrivateFormat = PrivateFormat.PKCS8,
) -> bytes:
    done: bytes = key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())
    return done


def public(key: Any) -> bytes:
    done: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return done


def certificate(
    key: Any, first: datetime, last: datetime, usage: x509.KeyUsage | None = None
) -> bytes:
    """Return a certificate of a key, signed by itself, as PEM."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "team")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(first)
        .not_valid_after(last)
    )
    if usage is not None:
        made = made.add_extension(usage, critical=True)
    algorithm = None if isinstance(key, Ed25519PrivateKey) else SHA256()
    return made.sign(key, algorithm).public_bytes(Encoding.PEM)


def valid_certificate(key: Any) -> bytes:
    now = datetime.now(UTC)
    return certificate(key, now - timedelta(days=1), now + timedelta(days=1))


def expired_certificate(key: Any) -> bytes:
    now = datetime.now(UTC)
    return certificate(key, now - timedelta(days=20), now - timedelta(days=10))


def key_pair(folder: Path, name: str = "team", kind: str = "ed25519") -> tuple[Path, Path]:
    """Write a private and a public key; return their paths."""
    key = MAKERS[kind]()
    (folder / f"{name}.key").write_bytes(private(key))
    (folder / f"{name}.pub").write_bytes(public(key))
    return folder / f"{name}.key", folder / f"{name}.pub"
