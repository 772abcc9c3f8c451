"""Keys as people have them: what is used, and what each other kind is refused with."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256K1,
    SECP256R1,
    SECP384R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from freezer.errors import SpecError
from freezer.governance.attest.bundle import sign_statement, verify_statement
from freezer.governance.attest.keys import PASSWORD, private_key, public_key
from tests.support.signatures.keys import (
    MAKERS,
    certificate,
    expired_certificate,
    private,
    public,
    valid_certificate,
)

ED25519 = Ed25519PrivateKey.generate()
P256 = generate_private_key(SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


def works(data: bytes, key: Any, password: bytes | None = None) -> bool:
    signed = sign_statement(b"x", private_key(data, "team.key", password))
    return len(verify_statement(signed, [public_key(public(key), "team.pub")], "x")[1]) == 1


def der(key: Any) -> bytes:
    done: bytes = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return done


def ssh(key: Any) -> bytes:
    done: bytes = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return done + b" somebody@host\n"


@pytest.mark.parametrize("key", [ED25519, P256], ids=["ed25519", "ecdsa"])
def test_keys_as_pem_and_in_openssh_format_are_used(key: Any) -> None:
    assert works(private(key), key)
    assert works(private(key, form=PrivateFormat.OpenSSH), key)
    assert works(private(key, BestAvailableEncryption(b"word")), key, b"word")
    signed = sign_statement(b"x", private_key(private(key), "team.key"))
    for data in (ssh(key), public(key), valid_certificate(key)):
        assert verify_statement(signed, [public_key(data, "team.pub")], "x")[1]


def test_a_key_of_the_older_form_is_used() -> None:
    assert works(private(P256, form=PrivateFormat.TraditionalOpenSSL), P256)
    old = private(P256, BestAvailableEncryption(b"word"), PrivateFormat.TraditionalOpenSSL)
    assert works(old, P256, b"word")


def test_the_password_is_asked_for_once_and_only_when_it_is_needed() -> None:
    asked = []

    def ask() -> bytes | None:
        asked.append(1)
        return b"word"

    private_key(private(ED25519), "team.key", None, ask)
    assert asked == []
    locked = private(ED25519, BestAvailableEncryption(b"word"))
    private_key(locked, "team.key", b"word", ask)
    assert asked == []
    private_key(locked, "team.key", None, ask)
    assert asked == [1]
    with pytest.raises(SpecError) as caught:
        private_key(locked, "team.key", None, lambda: b"wrong")
    assert "check the password" in str(caught.value)


LOCKED = private(ED25519, BestAvailableEncryption(b"word"))
CASES = {
    "encrypted": (LOCKED, None, (PASSWORD, "--password-file", "it is encrypted")),
    "wrong-password": (LOCKED, b"wrong", (PASSWORD,)),
    "needless-password": (private(ED25519), b"word", ("not encrypted", "unset")),
    "nonsense": (b"nonsense", None, ("no private key", "openssl genpkey")),
    "empty": (b"", None, ("no private key",)),
    "der": (der(ED25519), None, ("-inform DER",)),
    "public": (public(ED25519), None, ("a public key", "private half")),
    "public-ssh": (ssh(ED25519), None, ("a public key",)),
    "certificate": (valid_certificate(P256), None, ("a certificate",)),
    "rsa": (private(RSA), None, ("rsa", "P-256", "openssl genpkey")),
    "p384": (private(generate_private_key(SECP384R1())), None, ("P-256",)),
    "k256": (private(generate_private_key(SECP256K1())), None, ("P-256",)),
    "dsa": (private(dsa.generate_private_key(1024)), None, ("P-256",)),
    "ed448": (private(ed448.Ed448PrivateKey.generate()), None, ("P-256",)),
    "x25519": (private(x25519.X25519PrivateKey.generate()), None, ("P-256",)),
    "cosign": (
        b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neyJ\n", None, ("cosign's own", "import-key-pair"),
    ),
    "truncated": (private(ED25519)[:60], None, ("team.key",)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_sign_is_refused_with_the_next_step(name: str) -> None:
    data, password, words = CASES[name]
    with pytest.raises(SpecError) as caught:
        private_key(data, "team.key", password)
    text = str(caught.value)
    assert all(one in text for one in (*words, "team.key"))
    assert caught.value.hint
    assert "word'" not in text
    assert "wrong" not in text


def test_what_does_not_verify_is_refused_with_the_next_step() -> None:
    both = public(ED25519) + public(P256)
    for data, words in (
        (private(ED25519), "-pubout"),
        (private(ED25519, form=PrivateFormat.OpenSSH), "ssh-keygen -y"),
        (both, "several keys"),
        (valid_certificate(P256) * 2, "several keys"),
        (public(RSA), "rsa"),
        (ssh(RSA), "rsa"),
        (b"nonsense", "no key"),
        (b"", "no key"),
        (der(ED25519), "-inform DER -pubin"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n", "no public key"),
        (valid_certificate(P256)[:200], "no public key"),
        (b"ssh-ed25519 AAAA", "no public key"),
        (b"sk-ssh-ed25519@openssh.com AAAA x", "no public key"),
    ):
        with pytest.raises(SpecError) as caught:
            public_key(data, "team.pub")
        assert words in str(caught.value)
        assert "team.pub" in str(caught.value)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_certificate_counts_while_it_is_valid(kind: str) -> None:
    key, now = MAKERS[kind](), datetime.now(UTC)
    assert public_key(public(key), "k").lapse(now) is None
    assert public_key(valid_certificate(key), "k").lapse(now) is None
    expired = public_key(expired_certificate(key), "team.pem")
    assert "team.pem expired" in str(expired.lapse(now))
    assert expired.lapse(now - timedelta(days=15)) is None
    assert "not valid before" in str(expired.lapse(now - timedelta(days=30)))


def test_a_certificate_for_another_use_is_refused() -> None:
    now = datetime.now(UTC)

    def usage(digital_signature: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=digital_signature, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=True,
            key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip

    made = [
        certificate(P256, now, now + timedelta(days=1), usage(allowed)) for allowed in (True, False)
    ]
    assert public_key(made[0], "team.pem")
    with pytest.raises(SpecError, match="not for signatures"):
        public_key(made[1], "team.pem")


@pytest.mark.process
@pytest.mark.skipif(
    not (shutil.which("openssl") and shutil.which("ssh-keygen")),
    reason="openssl or ssh-keygen is not installed",
)
def test_keys_that_openssl_and_openssh_make_are_used(tmp_path: Path) -> None:
    def make(*arguments: str) -> None:
        subprocess.run(arguments, check=True, cwd=tmp_path, capture_output=True, timeout=60)

    make("openssl", "genpkey", "-algorithm", "ed25519", "-out", "a.key")
    make("openssl", "genpkey", "-algorithm", "ed25519", "-aes-256-cbc", "-pass", "pass:word", "-out", "b.key")  # fmt: skip
    make("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", "c.key")
    make("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "d.key")
    make("openssl", "req", "-x509", "-key", "a.key", "-subj", "/CN=team", "-out", "a.pem", "-days", "1")  # fmt: skip
    for name in ("a", "b", "c"):
        make("openssl", "pkey", "-in", f"{name}.key", "-passin", "pass:word", "-pubout", "-out", f"{name}.pub")  # fmt: skip
    make("ssh-keygen", "-q", "-t", "ed25519", "-N", "word", "-f", "e.key")
    for password, ask in ((b"word", None), (None, b"word"), (None, None)):
        try:
            private_key((tmp_path / "e.key").read_bytes(), "e.key", password, lambda ask=ask: ask)
        except SpecError as error:
            # OpenSSH's own encryption takes bcrypt, which Freezer does not install.
            assert "bcrypt" in str(error) or "it is encrypted" in str(error)  # noqa: PT017
        else:
            assert password or ask
    for private_file, public_file in (
        ("a.key", "a.pub"), ("a.key", "a.pem"), ("b.key", "b.pub"), ("c.key", "c.pub"),
        ("d.key", "d.key.pub"),
    ):  # fmt: skip
        password = b"word" if private_file == "b.key" else None
        signer = private_key((tmp_path / private_file).read_bytes(), private_file, password)
        verifier = public_key((tmp_path / public_file).read_bytes(), public_file)
        assert verify_statement(sign_statement(b"x", signer), [verifier], "x")[1] == (verifier,)
