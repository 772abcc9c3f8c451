"""Signed statements: by the library's own tool and the other way round; anything else is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from freezer.errors import IntegrityError
from freezer.governance.attest.bundle import MEDIA, as_bundles, sign_statement, verify_statement
from freezer.governance.attest.envelope import PAYLOAD_TYPE
from freezer.governance.attest.keys import private_key, public_key
from freezer.governance.attest.statement import Subject, parse_statement, statement
from tests.support.signatures.keys import MAKERS, private, public

CASES = list(MAKERS)


def signed(key: Any, payload: bytes = b"payload") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        sign_statement(payload, private_key(private(key), "team.key"))
    )
    return document


def signers(document: Any, key: Any) -> int:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return len(verify_statement(data, [public_key(public(key), "team.pub")], "x")[1])


@pytest.mark.parametrize("kind", CASES)
def test_the_library_verifies_what_was_signed_here(kind: str) -> None:
    key = MAKERS[kind]()
    envelope = Envelope.from_dict(signed(key)["dsseEnvelope"])
    assert envelope.payload == b"payload"
    assert envelope.verify([SSlibKey.from_crypto(key.public_key())], 1)


@pytest.mark.parametrize("kind", CASES)
def test_what_the_library_signed_is_verified_here(kind: str) -> None:
    key = MAKERS[kind]()
    envelope = Envelope(b"payload", PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(key))
    document = envelope.to_dict()
    assert signers(document, key) == 1
    # A key ID is a hint: other tools leave it out, or write another.
    for hint in ("", "other"):
        document["signatures"][0]["keyid"] = hint
        assert signers(document, key) == 1
    # DSSE allows both alphabets of base64.
    for one in (document, document["signatures"][0]):
        for name in {"payload", "sig"} & set(one):
            one[name] = one[name].replace("+", "-").replace("/", "_")
    assert signers(document, key) == 1


@pytest.mark.parametrize("kind", CASES)
def test_a_bundle_names_its_key_as_sigstore_recommends(kind: str) -> None:
    key = MAKERS[kind]()
    document = signed(key)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    hint = base64.b64encode(hashlib.sha256(der).digest()).decode()
    assert document["mediaType"] == MEDIA
    assert document["verificationMaterial"]["publicKey"] == {"hint": hint}
    assert len(document["dsseEnvelope"]["signatures"]) == 1


def test_equal_statements_give_equal_bundles() -> None:
    key = MAKERS["ed25519"]()
    assert signed(key) == signed(key)


def flipped(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 1
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("bundled", [True, False], ids=["bundle", "envelope"])
def test_a_changed_byte_another_key_and_a_swapped_payload_are_refused(
    kind: str, bundled: bool
) -> None:
    key, other = MAKERS[kind](), MAKERS[kind]()
    whole = signed(key)
    envelope = whole["dsseEnvelope"]

    def count(**changes: Any) -> int:
        changed = {**envelope, **changes}
        return signers({**whole, "dsseEnvelope": changed} if bundled else changed, key)

    assert count() == 1
    assert count(payload=flipped(envelope["payload"])) == 0
    changed = [{"sig": flipped(envelope["signatures"][0]["sig"]), "keyid": "x"}]
    assert count(signatures=changed) == 0
    stranger = signed(other)["dsseEnvelope"]
    assert count(signatures=stranger["signatures"]) == 0
    claimed = [{**stranger["signatures"][0], "keyid": envelope["signatures"][0]["keyid"]}]
    assert count(signatures=claimed) == 0
    assert count(payload=signed(key, b"another")["dsseEnvelope"]["payload"]) == 0
    for swapped in ("text/plain", "application/vnd.in-toto+json2", ""):
        with pytest.raises(IntegrityError, match="no signed statement"):
            count(payloadType=swapped)


def test_a_payload_of_another_type_that_was_signed_is_refused() -> None:
    key = MAKERS["ed25519"]()
    envelope = Envelope(b"payload", "text/plain", {})
    envelope.sign(CryptoSigner(key))
    document = envelope.to_dict()
    with pytest.raises(IntegrityError, match="no signed statement"):
        signers(document, key)
    # The type is signed too: with the expected one in its place, the signature is of something else.
    assert signers({**document, "payloadType": PAYLOAD_TYPE}, key) == 0


def test_every_truncation_is_refused() -> None:
    key = MAKERS["ed25519"]()
    data = sign_statement(b"payload", private_key(private(key), "team.key"))
    assert signers(data, key) == 1
    for length in range(len(data)):
        with pytest.raises(IntegrityError):
            signers(data[:length], key)


@pytest.mark.parametrize(
    "name", ["mediaType", "dsseEnvelope", "payload", "payloadType", "signatures", "sig"]
)
def test_a_key_that_is_there_twice_is_refused(name: str) -> None:
    # Parsers differ in which of the two they take, so that two readers would see two documents.
    text = json.dumps(signed(MAKERS["ed25519"]()))
    twice = text.replace(f'"{name}":', f'"{name}": null, "{name}":', 1)
    assert json.loads(twice) == json.loads(text)
    with pytest.raises(IntegrityError) as caught:
        verify_statement(twice.encode(), [], "x")
    assert "there twice" in str(caught.value)


def test_bundles_that_are_not_of_one_statement_are_refused() -> None:
    key = MAKERS["ed25519"]()
    document = signed(key)
    several = {**document["dsseEnvelope"], "signatures": document["dsseEnvelope"]["signatures"] * 2}
    bare = {name: value for name, value in document.items() if name != "dsseEnvelope"}
    for changed, words in (
        ({**document, "mediaType": "application/json"}, "mediaType"),
        ({**document, "dsseEnvelope": several}, "exactly one signature"),
        (bare, "no dsseEnvelope"),
        ({**bare, "messageSignature": {}}, "a signature of a file"),
        ({**document, "mediaType": None}, "mediaType"),
    ):
        with pytest.raises(IntegrityError) as caught:
            signers(changed, key)
        assert words in str(caught.value)


def test_an_envelope_of_two_signers_becomes_two_bundles() -> None:
    keys = [MAKERS[kind]() for kind in CASES]
    envelope = Envelope(b"payload", PAYLOAD_TYPE, {})
    for key in keys:
        envelope.sign(CryptoSigner(key))
    bundles = as_bundles(json.dumps(envelope.to_dict()).encode(), "x")
    assert [[signers(data, key) for key in keys] for data in bundles] == [[1, 0], [0, 1]]
    assert as_bundles(bundles[0], "x") == [bundles[0]]


def test_a_key_id_that_is_no_text_does_not_reach_a_bundle() -> None:
    document = signed(MAKERS["ed25519"]())["dsseEnvelope"]
    for hint in ("\ud800", "a\nb", 1, None, {}, "x" * 9999):
        document["signatures"][0]["keyid"] = hint
        (bundle,) = as_bundles(json.dumps(document).encode(), "x")
        assert len(json.loads(bundle)["verificationMaterial"]["publicKey"]["hint"]) <= 500


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["mediaType", "dsseEnvelope", "payload", "payloadType", "signatures", "sig"]
            ),
            inner | st.sampled_from([MEDIA, PAYLOAD_TYPE, "cGF5"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=120) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_statement_or_an_error_of_freezer(data: bytes) -> None:
    for read in (lambda: verify_statement(data, [], "x"), lambda: as_bundles(data, "x")):
        with suppress(IntegrityError):
            read()


@given(
    st.binary(max_size=60)
    | st.fixed_dictionaries(
        {},
        optional={
            "_type": st.sampled_from(["https://in-toto.io/Statement/v1", "x"]),
            "subject": _JSON | st.just([{"digest": {"sha256": "0" * 64}}]),
            "predicateType": _JSON | st.just("x"),
            "predicate": _JSON,
        },
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_payload_is_a_statement_or_an_error_of_freezer(data: bytes) -> None:
    with suppress(IntegrityError):
        assert parse_statement(data, "x").subjects


def test_a_statement_is_read_back() -> None:
    subjects = [Subject("a", "0" * 64), Subject("", "1" * 64)]
    found = parse_statement(statement(subjects, "urn:x", {"k": 1}), "x")
    assert (found.subjects, found.predicate_type, found.predicate) == (
        tuple(subjects), "urn:x", {"k": 1},
    )  # fmt: skip
    assert (found.digest_of("a"), found.digest_of("b")) == ("0" * 64, None)
    assert found.is_about("1" * 64)
    assert not found.is_about("2" * 64)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"_type":', b'"_type":"x","_type":'),
        (b'"subject":', b'"subject":[],"subject":'),
        (b"}]", b'},{"digest":{"sha256":"' + b"1" * 64 + b'"},"name":"a"}]'),
        (b"0" * 64, b"0" * 63),
        (b"0" * 64, b"A" * 64),
        (b'"predicateType":"urn:x"', b'"predicateType":1'),
        (b"Statement/v1", b"Statement/v0.1"),
    ],
)
def test_a_statement_with_two_meanings_is_refused(old: bytes, new: bytes) -> None:
    payload = statement([Subject("a", "0" * 64)], "urn:x", {})
    assert old in payload
    with pytest.raises(IntegrityError, match="no statement"):
        parse_statement(payload.replace(old, new, 1), "x")
