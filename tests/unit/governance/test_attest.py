"""Signed provenance: by the library's own tool and the other way round; anything else is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from freezer.errors import IntegrityError, SpecError
from freezer.flows.governance.attest import PASSWORD, sign_lock, signers_of, verify_lock
from freezer.flows.governance.policy import check_policy
from freezer.flows.history.log import verify as verify_history
from freezer.flows.project.environment import load_locked
from freezer.flows.project.project import Project
from freezer.governance.attest.envelope import PAYLOAD_TYPE, public_key, sign, verify

ENV = "boosting"
MAKERS: dict[str, Any] = {
    "ed25519": Ed25519PrivateKey.generate,
    "ecdsa": lambda: generate_private_key(SECP256R1()),
}
CASES = list(MAKERS)


def private(key: Any, encryption: KeySerializationEncryption | None = None) -> bytes:
    done: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return done


def public(key: Any) -> bytes:
    done: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return done


@pytest.mark.parametrize("kind", CASES)
def test_the_library_verifies_what_was_signed_here(kind: str) -> None:
    key = MAKERS[kind]()
    envelope = Envelope.from_dict(json.loads(sign(b"payload", private(key), "k", None)))
    assert envelope.payload == b"payload"
    assert envelope.verify([SSlibKey.from_crypto(key.public_key())], 1)


@pytest.mark.parametrize("kind", CASES)
def test_what_the_library_signed_is_verified_here(kind: str) -> None:
    key = MAKERS[kind]()
    envelope = Envelope(b"payload", PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(key))
    document = envelope.to_dict()
    own = public_key(public(key), "k")
    assert verify(json.dumps(document).encode(), [own], "x") == (b"payload", (own,))
    # A key ID is a hint: other tools leave it out, or write another.
    for hint in ("", "other"):
        document["signatures"][0]["keyid"] = hint
        assert verify(json.dumps(document).encode(), [own], "x")[1] == (own,)


@pytest.mark.parametrize("kind", CASES)
def test_a_changed_byte_another_key_and_a_swapped_payload_are_refused(kind: str) -> None:
    key, other = MAKERS[kind](), MAKERS[kind]()
    document = json.loads(sign(b"payload", private(key), "k", None))
    keys = [public_key(public(key), "k")]

    def signers(**changes: Any) -> int:
        return len(verify(json.dumps({**document, **changes}).encode(), keys, "x")[1])

    assert signers() == 1
    assert signers(payload=base64.b64encode(b"paXload").decode()) == 0
    signature = bytearray(base64.b64decode(document["signatures"][0]["sig"]))
    signature[10] ^= 1
    changed = [{"sig": base64.b64encode(signature).decode(), "keyid": "x"}]
    assert signers(signatures=changed) == 0
    stranger = json.loads(sign(b"payload", private(other), "k", None))
    assert signers(signatures=stranger["signatures"]) == 0
    assert signers(signatures=[*stranger["signatures"], *document["signatures"]]) == 1
    swapped = json.loads(sign(b"another", private(key), "k", None))
    assert signers(payload=swapped["payload"]) == 0
    with pytest.raises(IntegrityError, match="no signed statement"):
        signers(payloadType="text/plain")


@given(st.binary(max_size=120) | st.from_regex(rb'\{"payloadType": "x"\}', fullmatch=True))
def test_any_bytes_are_an_envelope_or_an_error_of_freezer(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        verify(data, [], "x")


def test_keys_that_cannot_be_used() -> None:
    key = Ed25519PrivateKey.generate()
    locked = private(key, BestAvailableEncryption(b"word"))
    assert sign(b"x", locked, "k", b"word")
    for data, password, words in (
        (locked, None, PASSWORD),
        (locked, b"wrong", PASSWORD),
        (private(key), b"word", "not encrypted"),
        (b"nonsense", None, "openssl"),
        (private(generate_private_key(SECP384R1())), None, "P-256"),
    ):
        with pytest.raises(SpecError) as caught:
            sign(b"x", data, "team.key", password)
        assert words in str(caught.value)
        assert "team.key" in str(caught.value)
        assert "word'" not in str(caught.value)
    with pytest.raises(SpecError, match="no public key") as caught:
        public_key(private(key), "team.key")
    assert "-pubout" in str(caught.value)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    key = Ed25519PrivateKey.generate()
    (tmp_path / "team.key").write_bytes(private(key))
    (tmp_path / "team.pub").write_bytes(public(key))
    return tmp_path / "team.key", tmp_path / "team.pub"


def test_a_lock_is_signed_and_verified(project: Project, keys: tuple[Path, Path]) -> None:
    secret, shared = keys
    assert verify_lock(project, ENV, [shared]).problem == "this lock is not signed"
    done = sign_lock(project, ENV, secret)
    assert verify_lock(project, ENV, [shared]).problem is None
    first = json.loads(done.path.read_bytes())
    statement = json.loads(base64.b64decode(first["payload"]))
    assert statement["subject"][0]["digest"]["sha256"] == done.locked.id
    assert done.image is not None
    assert statement["subject"][1]["digest"]["sha256"] == done.image[7:]
    materials = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert {one["digest"]["sha256"] for one in materials} >= {
        package.sha256 for package in done.locked.lock.pip
    }
    # ed25519 signs the same bytes the same way, and no clock is in them.
    sign_lock(project, ENV, secret)
    assert json.loads(done.path.read_bytes()) == first
    assert verify_history(project, ENV).faults == ()

    (project.root / "policy.yaml").write_text("rules: {signed: {keys: [team.pub]}}")
    assert check_policy(project, [ENV]).good
    done.path.unlink()
    assert not check_policy(project, [ENV]).good


def test_a_statement_about_another_lock_does_not_count(
    project: Project, keys: tuple[Path, Path]
) -> None:
    secret, shared = keys
    path = sign_lock(project, ENV, secret).path
    envelope = json.loads(path.read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["subject"][0]["digest"]["sha256"] = "0" * 64
    path.write_bytes(sign(json.dumps(statement).encode(), secret.read_bytes(), "k", None))
    assert verify_lock(project, ENV, [shared]).problem == "it is about another lock"
    locked = load_locked(project.root, ENV)
    assert signers_of(project, locked, ["team.pub"]) == ()
    statement["subject"] = []
    path.write_bytes(sign(json.dumps(statement).encode(), secret.read_bytes(), "k", None))
    with pytest.raises(IntegrityError, match="no statement"):
        verify_lock(project, ENV, [shared])
