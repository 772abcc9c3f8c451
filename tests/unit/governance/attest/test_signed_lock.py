"""``freeze sign ENV``, ``freeze verify ENV``, and ``freeze log --verify --key``."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from freezer.errors import HostError, IntegrityError, SpecError
from freezer.flows.attest.provenance import write_provenance
from freezer.flows.governance.attest import sign_lock, signers_of, verify_lock
from freezer.flows.governance.generations import verify_generations
from freezer.flows.governance.key_files import Password
from freezer.flows.governance.policy import check_policy
from freezer.flows.history.log import verify as verify_history
from freezer.flows.image.build import Built
from freezer.flows.project.environment import load_locked
from freezer.flows.project.project import Project
from freezer.governance.attest.bundle import sign_statement
from freezer.governance.attest.envelope import PAYLOAD_TYPE
from freezer.governance.attest.keys import private_key
from freezer.governance.attest.statement import parse_statement
from tests.support.signatures.keys import (
    expired_certificate,
    key_pair,
    private,
    public,
    valid_certificate,
)

ENV = "boosting"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return key_pair(tmp_path)


def payload_of(path: Path) -> dict[str, Any]:
    envelope = json.loads(path.read_bytes())["dsseEnvelope"]
    found: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return found


def resign(path: Path, statement: Any, secret: Path) -> None:
    signer = private_key(secret.read_bytes(), "k")
    path.write_bytes(sign_statement(json.dumps(statement).encode(), signer))


def test_a_lock_is_signed_and_verified(project: Project, keys: tuple[Path, Path]) -> None:
    secret, shared = keys
    assert verify_lock(project, ENV, [shared]).problem == "this lock is not signed"
    done = sign_lock(project, ENV, secret)
    verified = verify_lock(project, ENV, [shared])
    assert verified.problem is None
    assert verified.image == done.image
    statement = payload_of(done.path)
    assert statement["subject"][0]["digest"]["sha256"] == done.locked.id
    assert done.image is not None
    assert statement["subject"][1]["digest"]["sha256"] == done.image[7:]
    # ed25519 signs the same bytes the same way, and no clock is in them.
    first = done.path.read_bytes()
    sign_lock(project, ENV, secret)
    assert done.path.read_bytes() == first
    assert verify_history(project, ENV).faults == ()

    (project.root / "policy.yaml").write_text("rules: {signed: {keys: [team.pub]}}")
    assert check_policy(project, [ENV]).good
    done.path.unlink()
    assert not check_policy(project, [ENV]).good


def test_whether_a_rebuild_gave_the_same_image_is_stated(
    project: Project, keys: tuple[Path, Path]
) -> None:
    secret, _ = keys
    lock_id, image = load_locked(project.root, ENV).id, sign_lock(project, ENV, secret).image
    for memo, compared, stated in (
        (None, image, None),
        (True, image, True),
        (False, image, False),
        # A build with a revision's label is another image than the one that was made again.
        (True, f"sha256:{'0' * 64}", None),
    ):
        if memo is not None:
            project.store.put_memo("rebuilt", lock_id, memo)
            project.store.put_memo("rebuilt-image", lock_id, compared)
        done = sign_lock(project, ENV, secret)
        run = payload_of(done.path)["predicate"]["runDetails"]
        assert run.get("metadata", {}).get("freezer_rebuiltSameImage") is stated
        assert done.rebuilt is stated


def test_provenance_of_a_build_is_about_the_image_that_was_built(
    project: Project, tmp_path: Path
) -> None:
    locked, image = load_locked(project.root, ENV), f"sha256:{'7' * 64}"
    built = Built(locked, image, ("a", "b"), fresh=True, size=1, seconds=1.0)
    write_provenance(project, built, tmp_path / "p.json")
    stated = parse_statement((tmp_path / "p.json").read_bytes(), "p.json")
    assert stated.digest_of(f"{ENV} image") == "7" * 64
    assert "revision" not in stated.predicate["buildDefinition"]["externalParameters"]
    write_provenance(project, built, tmp_path / "p.json", "abc")
    labelled = parse_statement((tmp_path / "p.json").read_bytes(), "p.json")
    assert labelled.predicate["buildDefinition"]["externalParameters"]["revision"] == "abc"
    assert stated.predicate_type == "https://slsa.dev/provenance/v1"


def test_several_people_sign_one_lock(project: Project, tmp_path: Path) -> None:
    (one, one_public), (two, two_public) = key_pair(tmp_path, "one"), key_pair(tmp_path, "two")
    sign_lock(project, ENV, one)
    assert verify_lock(project, ENV, [two_public]).problem == "none of the given keys signed it"
    sign_lock(project, ENV, two)
    both = verify_lock(project, ENV, [one_public, two_public])
    assert {Path(key.file).name for key in both.signers} == {"one.pub", "two.pub"}
    assert verify_lock(project, ENV, [one_public]).problem is None


def test_a_file_that_is_no_statement_hides_no_good_one(
    project: Project, keys: tuple[Path, Path]
) -> None:
    secret, shared = keys
    done = sign_lock(project, ENV, secret)
    other = done.path.with_name(f"{done.locked.id[:12]}.provenance.0.json")
    other.write_text("{}")
    assert verify_lock(project, ENV, [shared]).problem is None
    assert faults(project, shared) == []
    done.path.unlink()
    with pytest.raises(IntegrityError, match="no signed statement"):
        verify_lock(project, ENV, [shared])
    assert "no signed statement" in faults(project, shared)[0]


def test_a_bare_envelope_of_another_tool_is_verified(
    project: Project, keys: tuple[Path, Path]
) -> None:
    secret, shared = keys
    done = sign_lock(project, ENV, secret)
    envelope = json.loads(done.path.read_bytes())["dsseEnvelope"]
    done.path.unlink()
    plain = done.path.with_name(f"{done.locked.id[:12]}.provenance.json")
    plain.write_text(json.dumps(envelope))
    assert verify_lock(project, ENV, [shared]).problem is None
    assert verify_lock(project, ENV, [shared], plain).problem is None


def test_a_statement_that_is_not_about_this_lock_does_not_count(
    project: Project, keys: tuple[Path, Path]
) -> None:
    secret, shared = keys
    path = sign_lock(project, ENV, secret).path
    whole = payload_of(path)

    def judge(change: Any) -> str | None:
        statement = json.loads(json.dumps(whole))
        change(statement)
        resign(path, statement, secret)
        locked = load_locked(project.root, ENV)
        problem = verify_lock(project, ENV, [shared]).problem
        assert bool(signers_of(project, locked, ["team.pub"])) is (problem is None)
        return problem

    def rename(statement: Any) -> None:
        statement["subject"][0]["name"] = "other lock"

    def other_lock(statement: Any) -> None:
        statement["subject"][0]["digest"]["sha256"] = "0" * 64

    def other_image(statement: Any) -> None:
        statement["subject"][1]["digest"]["sha256"] = "0" * 64

    def other_type(statement: Any) -> None:
        statement["predicateType"] = "https://in-toto.io/attestation/test-result/v0.1"

    def no_materials(statement: Any) -> None:
        statement["predicate"]["buildDefinition"]["resolvedDependencies"] = []

    assert judge(lambda _: None) is None
    assert "another environment: other lock" in str(judge(rename))
    assert judge(other_lock) == "it is about another lock"
    assert judge(other_image) == "it is about another image than the history records"
    assert "it is no provenance" in str(judge(other_type))
    assert "materials lack" in str(judge(no_materials))
    with pytest.raises(IntegrityError, match="no statement"):
        judge(lambda statement: statement.update(subject=[]))


def test_a_signed_text_of_another_type_is_refused(
    project: Project, keys: tuple[Path, Path]
) -> None:
    secret, shared = keys
    path = sign_lock(project, ENV, secret).path
    bundle = json.loads(path.read_bytes())
    envelope = Envelope(base64.b64decode(bundle["dsseEnvelope"]["payload"]), "text/plain", {})
    envelope.sign(CryptoSigner(private_key(secret.read_bytes(), "k").key._private_key))
    bundle["dsseEnvelope"] = envelope.to_dict()
    path.write_text(json.dumps(bundle))
    with pytest.raises(IntegrityError, match="no signed statement"):
        verify_lock(project, ENV, [shared])
    bundle["dsseEnvelope"]["payloadType"] = PAYLOAD_TYPE
    path.write_text(json.dumps(bundle))
    assert verify_lock(project, ENV, [shared]).problem == "none of the given keys signed it"


def test_an_expired_certificate_does_not_count(project: Project, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    for name, data in (
        ("team.key", private(key)),
        ("team.pub", public(key)),
        ("valid.pem", valid_certificate(key)),
        ("old.pem", expired_certificate(key)),
    ):
        (tmp_path / name).write_bytes(data)
    sign_lock(project, ENV, tmp_path / "team.key")
    assert verify_lock(project, ENV, [tmp_path / "valid.pem"]).problem is None
    old = verify_lock(project, ENV, [tmp_path / "old.pem"])
    assert "old.pem expired" in str(old.problem)
    assert old.signers == ()
    then = datetime.now(UTC) - timedelta(days=15)
    assert verify_lock(project, ENV, [tmp_path / "old.pem"], at=then).problem is None
    # A key that counts is enough; the expired one is not named as a signer.
    two = verify_lock(project, ENV, [tmp_path / "old.pem", tmp_path / "team.pub"])
    assert [Path(one.file).name for one in two.signers] == ["team.pub"]


def test_passwords_come_from_a_file_the_environment_or_a_prompt(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Ed25519PrivateKey.generate()
    secret = tmp_path / "team.key"
    secret.write_bytes(private(key, BestAvailableEncryption(b"word")))
    word = tmp_path / "word"
    word.write_bytes(b"word\r\nanother line\n")
    assert sign_lock(project, ENV, secret, password=Password(word)).path.is_file()
    assert sign_lock(project, ENV, secret, password=Password(ask=lambda: b"word")).path.is_file()
    with pytest.raises(SpecError, match="it is encrypted"):
        sign_lock(project, ENV, secret)
    monkeypatch.setenv("FREEZER_KEY_PASSWORD", "word")
    assert sign_lock(project, ENV, secret).path.is_file()
    word.write_bytes(b"\n")
    with pytest.raises(SpecError, match="no password"):
        sign_lock(project, ENV, secret, password=Password(word))
    word.write_bytes(b"x" * 5000)
    with pytest.raises(HostError, match="too large"):
        sign_lock(project, ENV, secret, password=Password(word))
    with pytest.raises(HostError, match="cannot be read"):
        sign_lock(project, ENV, secret, password=Password(tmp_path / "none"))


@pytest.mark.parametrize("builder", ["", "team", "https://ci.example.org/a b", "urn:x\x1b[2J"])
def test_a_builder_is_a_uri(project: Project, keys: tuple[Path, Path], builder: str) -> None:
    with pytest.raises(SpecError, match="no URI"):
        sign_lock(project, ENV, keys[0], builder=builder)


# Generations


def faults(project: Project, *keys: Path) -> list[str]:
    return [one.fault for one in verify_generations(project, ENV, keys) if one.fault]


def test_generations_are_demanded_signed_where_the_policy_says_so(
    project: Project, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    secret, shared = keys
    unsigned = verify_generations(project, ENV, [shared])
    assert [one.problem for one in unsigned] == ["it is not signed"] * len(unsigned)
    assert faults(project, shared) == []  # nothing demands it
    policy = project.root / "policy.yaml"
    policy.write_text("rules: {signed: {keys: [team.pub]}}")
    assert len(faults(project, shared)) == len(unsigned)
    assert faults(project, shared)[0].startswith("generation 1 (lock ")

    path = sign_lock(project, ENV, secret).path
    current = load_locked(project.root, ENV).id
    left = [one.number for one in unsigned if one.lock_id != current]
    assert [fault.split()[1] for fault in faults(project, shared)] == [str(n) for n in left]
    _, stranger = key_pair(tmp_path, "other")
    assert "none of the given keys" in faults(project, stranger)[-1]

    data = path.read_bytes()
    path.write_bytes(data[:-9])
    assert "no signed statement" in faults(project, shared)[-1]
    # What is signed and not valid counts without a policy, too.
    policy.unlink()
    assert len(faults(project, shared)) == 1
    path.write_bytes(data)
    assert faults(project, shared) == []


def test_an_expired_certificate_signs_no_generation(project: Project, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    for name, data in (("a.key", private(key)), ("old.pem", expired_certificate(key))):
        (tmp_path / name).write_bytes(data)
    sign_lock(project, ENV, tmp_path / "a.key")
    assert "old.pem expired" in faults(project, tmp_path / "old.pem")[-1]
    then = datetime.now(UTC) - timedelta(days=15)
    found = verify_generations(project, ENV, [tmp_path / "old.pem"], at=then)
    assert found[-1].problem is None


def test_a_deviation_answers_for_an_unsigned_generation_until_its_end(
    project: Project, keys: tuple[Path, Path]
) -> None:
    count = len(verify_generations(project, ENV, [keys[1]]))
    for until, left in (("2999-01-01", count - 1), ("2020-01-01", count)):
        (project.root / "policy.yaml").write_text(
            "rules: {signed: {keys: [team.pub]}}\ndeviations:\n"
            "- {rule: signed, subject: generation 1, reason: before the rule, owner: ann, "
            f"until: '{until}'}}\n"
        )
        assert len(faults(project, keys[1])) == left


def test_a_statement_of_another_generation_does_not_count(
    project: Project, keys: tuple[Path, Path]
) -> None:
    secret, shared = keys
    path = sign_lock(project, ENV, secret).path
    others = {one.lock_id for one in verify_generations(project, ENV, [shared])}
    others -= {load_locked(project.root, ENV).id}
    assert others
    for other in others:
        path.with_name(f"{other[:12]}.provenance.json").write_bytes(path.read_bytes())
    found = {one.lock_id: one.problem for one in verify_generations(project, ENV, [shared])}
    assert all(found[other] == "it is about another lock" for other in others)


def test_an_earlier_generation_can_be_signed(project: Project, keys: tuple[Path, Path]) -> None:
    secret, shared = keys
    (project.root / "policy.yaml").write_text("rules: {signed: {keys: [team.pub]}}")
    assert verify_lock(project, ENV, [shared], generation=1).problem == "this lock is not signed"
    done = sign_lock(project, ENV, secret, generation=1)
    assert done.locked.id != load_locked(project.root, ENV).id
    assert verify_lock(project, ENV, [shared], generation=done.locked.id[:6]).problem is None
    assert verify_lock(project, ENV, [shared]).problem == "this lock is not signed"
    for number in range(2, len(verify_generations(project, ENV, [shared])) + 1):
        assert faults(project, shared) != []
        sign_lock(project, ENV, secret, generation=number)
    assert faults(project, shared) == []
    assert verify_history(project, ENV).faults == ()
