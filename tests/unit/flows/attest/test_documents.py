"""Documents and signatures of an image in its registry, with the referrers API and without."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from freezer.check.reference import write_reference
from freezer.errors import FreezerError, HostError, SpecError
from freezer.fetch.config import Config
from freezer.fetch.registry.push import Destination
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.referrers import attached
from freezer.fetch.registry.repository import Repository
from freezer.flows.attest import image as image_flow
from freezer.flows.attest.documents import (
    CYCLONEDX,
    PROVENANCE,
    SPDX,
    bundle_document,
    current_documents,
    send_document,
)
from freezer.flows.attest.image import ImageVerified, sign_image, verify_image
from freezer.flows.attest.pull import pull
from freezer.flows.attest.push import Published, describe_image, push
from freezer.flows.attest.report import sign_report
from freezer.flows.governance import attest
from freezer.flows.governance.attest import sign_lock
from freezer.flows.governance.key_files import Password
from freezer.governance.attest.bundle import MEDIA, sign_statement
from freezer.governance.attest.check_report import TEST_RESULT
from freezer.governance.attest.keys import private_key
from freezer.governance.attest.statement import (
    IMAGE_SIGNATURE,
    Subject,
    image_signature,
    statement,
)
from freezer.model import oci
from tests.support.host.hosts import CLASS, CONFIG, ID, Host, reference
from tests.support.registry.memory_registry import MemoryRegistry
from tests.support.registry.registries import Answer, sha
from tests.support.signatures.keys import expired_certificate, key_pair, private, public

NOBODY = Password()


@pytest.fixture(params=[True, False], ids=["api", "tag"])
def api(request: pytest.FixtureRequest, registry: MemoryRegistry) -> bool:
    registry.referrers = request.param
    return registry.referrers


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return key_pair(tmp_path)


def publish(host: Host) -> Published:
    return push(host.opened, None, f"{host.address}/team/demo:v1")


def artifacts(registry: MemoryRegistry) -> list[dict[str, Any]]:
    found = {sha(data): json.loads(data) for _, data in registry.manifests.values()}
    return [one for one in found.values() if "subject" in one]


def kinds(registry: MemoryRegistry) -> list[str]:
    return sorted(one["artifactType"] for one in artifacts(registry))


def is_good(host: Host, name: str, *shared: Path) -> bool:
    return verify_image(host.opened, name, shared).good


# Push


def test_documents_are_attached_as_artifacts_of_the_image(
    home: Host, registry: MemoryRegistry, api: bool
) -> None:
    done = publish(home)
    assert [one.kind for one in done.documents] == [CYCLONEDX, SPDX, PROVENANCE]
    assert done.sent == 3
    for one in artifacts(registry):
        assert one["mediaType"] == oci.MANIFEST
        assert one["subject"]["digest"] == done.image.name.partition("@")[2]
        assert one["config"] == oci.describe(oci.EMPTY, b"{}")
        assert len(one["layers"]) == 1
    listed = registry.manifests.get(("team/demo", f"sha256-{done.image.name[-64:]}"))
    if api:
        assert listed is None
    else:
        assert listed is not None
        entries = json.loads(listed[1])["manifests"]
        assert {one["artifactType"] for one in entries} >= {CYCLONEDX, SPDX, PROVENANCE}


def test_a_second_push_attaches_nothing(home: Host, registry: MemoryRegistry, api: bool) -> None:
    publish(home)
    before = dict(registry.manifests)
    assert publish(home).sent == 0
    assert registry.manifests == before


def test_the_same_documents_give_the_same_bytes(
    home: Host, registry: MemoryRegistry, api: bool
) -> None:
    publish(home)
    before = dict(registry.manifests)
    registry.manifests.clear()
    publish(home)
    assert registry.manifests == before


def test_newer_provenance_replaces_the_old_one(
    home: Host, away: Host, registry: MemoryRegistry, api: bool
) -> None:
    name = publish(home).image.name
    home.opened.store.put_memo("rebuilt", ID, True)
    assert publish(home).sent == 1
    assert publish(home).sent == 0
    found = pull(away.opened, name).documents
    (provenance,) = [one for one in found if one.kind == PROVENANCE]
    assert b'"freezer_rebuiltSameImage":true' in provenance.data
    assert kinds(registry).count(PROVENANCE) == 2


def test_a_bill_that_lacks_licenses_does_not_replace_a_whole_one(
    home: Host, registry: MemoryRegistry
) -> None:
    publish(home)
    # A new reference gives another bill, and the store of this host lacks the packages.
    write_reference(home.references, reference(**{"class": "armv8-neoverse"}))
    assert publish(home).sent == 0
    assert kinds(registry).count(CYCLONEDX) == 1


def test_signed_provenance_is_attached_as_it_is_stored(
    home: Host, away: Host, registry: MemoryRegistry, api: bool, keys: tuple[Path, Path]
) -> None:
    stored = sign_lock(home.opened, "demo", keys[0]).path.read_bytes()
    name = publish(home).image.name
    assert kinds(registry).count(MEDIA) == 1
    assert PROVENANCE not in kinds(registry)
    (found,) = [one for one in pull(away.opened, name).documents if one.kind == MEDIA]
    assert found.data == stored
    (one,) = [one for one in artifacts(registry) if one["artifactType"] == MEDIA]
    assert one["annotations"] == {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1",
    }
    assert one["layers"][0]["mediaType"] == MEDIA


def test_a_signed_check_is_attached_and_is_no_signature_of_it(
    home: Host, away: Host, registry: MemoryRegistry, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    report = {
        "environment": "demo", "lock-id": ID, "image": sha(CONFIG), "verdict": "drifted",
        "class": CLASS, "date": "2026-11-30T00:00:00Z",
        "trainings": [{"training": "t", "word": "drifted"}],
    }  # fmt: skip
    (tmp_path / "check.json").write_text(json.dumps(report))
    assert sign_report(home.opened, tmp_path / "check.json", keys[0], NOBODY).kept
    done = publish(home)
    assert (done.sent, kinds(registry).count(MEDIA), kinds(registry).count(PROVENANCE)) == (4, 1, 1)
    assert publish(home).sent == 0
    found = verify_image(away.opened, done.image.name, [keys[1]])
    assert [one.predicate_type for one in found.valid] == [TEST_RESULT]
    assert found.valid[0].summary == f"a check: drifted on {CLASS}, 2026-11-30"
    assert not found.good


def test_a_stored_statement_that_is_none_is_named_before_anything_is_sent(
    home: Host, registry: MemoryRegistry, keys: tuple[Path, Path]
) -> None:
    path = sign_lock(home.opened, "demo", keys[0]).path
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(FreezerError, match="no signed statement"):
        publish(home)
    assert registry.asked == []


# Pull


def test_pulled_documents_are_written_to_a_folder(
    home: Host, away: Host, tmp_path: Path, api: bool
) -> None:
    done = publish(home)
    pulled = pull(away.opened, done.image.name, tmp_path / "documents")
    written = {path.read_bytes() for path in (tmp_path / "documents").iterdir()}
    assert written == {one.data for one in done.documents}
    assert {one.data for one in pulled.documents} == written


def test_what_is_in_the_way_is_named(
    home: Host, away: Host, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    name = publish(home).image.name
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HostError, match="cannot be written there"):
            pull(away.opened, name, folder)
    (home.references / "attestations").write_text("x")
    with pytest.raises(HostError, match="cannot be written there"):
        sign_lock(home.opened, "demo", keys[0])


def test_a_document_with_other_bytes_is_left_out(
    home: Host, away: Host, registry: MemoryRegistry
) -> None:
    done = publish(home)
    bill = next(one for one in done.documents if one.kind == CYCLONEDX)
    registry.blobs["team/demo", sha(bill.data)] = bill.data[:-1] + b" "
    pulled = pull(away.opened, done.image.name)
    assert CYCLONEDX not in [one.kind for one in pulled.documents]
    assert any("another digest" in text for text in away.ear.warnings)


def test_a_document_that_is_too_large_is_left_out(
    home: Host, away: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = publish(home)
    monkeypatch.setattr("freezer.flows.attest.documents.LARGEST", 100)
    assert pull(away.opened, done.image.name).documents == ()
    assert any("too large" in text for text in away.ear.warnings)


def test_no_more_documents_are_read_than_are_of_use(
    home: Host, away: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = publish(home)
    monkeypatch.setattr("freezer.flows.attest.pull.MOST", 1)
    assert len(pull(away.opened, done.image.name).documents) == 1
    assert any("3 documents; 1 of them" in text for text in away.ear.warnings)


# Signatures


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_an_image_is_signed_and_verified_without_a_project(
    home: Host, away: Host, registry: MemoryRegistry, api: bool, tmp_path: Path, kind: str
) -> None:
    name = publish(home).image.name
    secret, shared = key_pair(tmp_path, "team", kind)
    assert not is_good(away, name, shared)
    assert sign_image(away.opened, name, secret, NOBODY).fresh
    before = dict(registry.manifests)
    # An ECDSA signature is another one each time, and is not made again.
    assert not sign_image(away.opened, name, secret, NOBODY).fresh
    assert registry.manifests == before
    found = verify_image(away.opened, name, [shared])
    assert found.good
    assert [one.predicate_type for one in found.valid] == [IMAGE_SIGNATURE]


def test_the_signature_is_what_cosign_writes(
    home: Host, registry: MemoryRegistry, keys: tuple[Path, Path]
) -> None:
    name = publish(home).image.name
    sign_image(home.opened, name, keys[0], NOBODY)
    (one,) = [one for one in artifacts(registry) if one["artifactType"] == MEDIA]
    assert one["annotations"]["dev.sigstore.bundle.predicateType"] == IMAGE_SIGNATURE
    layer = one["layers"][0]
    hex_digest = layer["digest"].partition(":")[2]
    assert layer["annotations"] == {
        "org.opencontainers.image.title": f"sha256-{hex_digest}.sigstore.json"
    }
    bundle = json.loads(registry.blobs["team/demo", layer["digest"]])
    payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    assert payload == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": name[-64:]}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }


def test_signed_provenance_counts_as_a_signature_and_a_check_does_not(
    home: Host, away: Host, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, shared = keys
    published = publish(home).image
    name = published.name
    result = statement(
        [Subject("demo image", published.image[7:])],
        "https://in-toto.io/attestation/test-result/v0.1", {"result": "FAILED"},
    )  # fmt: skip
    inject(name, sign_statement(result, private_key(secret.read_bytes(), "k")))
    found = verify_image(away.opened, name, [shared])
    assert len(found.valid) == 1
    assert not found.good
    # As the history has it after `freeze check`.
    monkeypatch.setattr(attest, "_image", lambda *_: published.image)
    sign_lock(home.opened, "demo", secret)
    publish(home)
    assert is_good(away, name, shared)


def inject(name: str, bundle: bytes, subject: str | None = None) -> None:
    """Attach a bundle to an image, whatever it is about."""
    repository = Repository(parse_reference(name), Config(), writes=True)
    described = describe_image(repository)
    if subject is not None:
        described = {**described, "digest": subject}
    document = bundle_document(bundle, IMAGE_SIGNATURE)
    send_document(repository, Destination(repository), described, document, [])


def judged(host: Host, name: str, *shared: Path) -> ImageVerified:
    found = verify_image(host.opened, name, shared)
    assert not found.good
    assert found.signers == ()
    return found


def test_what_is_no_signature_of_this_image_by_this_key_is_refused(
    home: Host, away: Host, keys: tuple[Path, Path], tmp_path: Path, api: bool
) -> None:
    secret, shared = keys
    name = publish(home).image.name
    signer = private_key(secret.read_bytes(), "k")
    good = sign_statement(image_signature(name[-64:]), signer)
    of_another = sign_statement(image_signature("0" * 64), signer)
    stranger, _ = key_pair(tmp_path, "stranger")
    by_another = sign_statement(
        image_signature(name[-64:]), private_key(stranger.read_bytes(), "k")
    )
    swapped = json.loads(of_another)
    swapped["dsseEnvelope"]["payload"] = json.loads(good)["dsseEnvelope"]["payload"]
    retyped = json.loads(good)
    retyped["dsseEnvelope"]["payloadType"] = "text/plain"
    for bundle in (
        of_another,
        by_another,
        json.dumps(swapped).encode(),
        json.dumps(retyped).encode(),
        good[:-9],
        good.replace(b'"sig":', b'"sig":"","sig":'),
        b"{}",
        b"",
    ):
        inject(name, bundle)
    found = judged(away, name, shared)
    assert len(found.statements) == 8
    problems = sorted(str(one.problem) for one in found.statements)
    assert problems.count("it is about another image") == 1
    assert problems.count("none of the given keys signed it") == 2
    assert sum("no signed statement" in one for one in problems) == 5
    # None of them hides the one that counts.
    inject(name, good)
    assert is_good(away, name, shared)


def test_a_signature_that_was_copied_from_another_image_is_refused(
    home: Host, away: Host, registry: MemoryRegistry, keys: tuple[Path, Path]
) -> None:
    name = publish(home).image.name
    sign_image(home.opened, name, keys[0], NOBODY)
    # The registry lists it for another image, too.
    place, _, _ = name.partition("@")
    other = oci.image_manifest(oci.describe(oci.CONFIG, oci.EMPTY_DATA), [])
    registry.manifests["team/demo", sha(other)] = (oci.MANIFEST, other)
    digest, data = next(
        (sha(data), data) for _, data in registry.manifests.values() if MEDIA.encode() in data
    )
    entry = oci.descriptor(oci.MANIFEST, digest, len(data), artifactType=MEDIA, annotations={})
    registry.instead["GET", "referrers"] = [Answer(oci.index([entry]), 200)]
    found = judged(away, f"{place}@{sha(other)}", keys[1])
    assert "cannot be used" in str(found.statements[0].problem)


def test_a_registry_that_serves_other_bytes_is_refused(
    home: Host, away: Host, registry: MemoryRegistry, keys: tuple[Path, Path]
) -> None:
    name = publish(home).image.name
    sign_image(home.opened, name, keys[0], NOBODY)
    blob = next(digest for (_, digest), data in registry.blobs.items() if b"dsseEnvelope" in data)
    kept = registry.blobs["team/demo", blob]
    registry.blobs["team/demo", blob] = kept[:-1] + b" "
    assert "another digest" in str(judged(away, name, keys[1]).statements[0].problem)
    registry.blobs["team/demo", blob] = kept
    assert is_good(away, name, keys[1])
    digest = name.partition("@")[2]
    media, manifest = registry.manifests["team/demo", digest]
    registry.manifests["team/demo", digest] = (media, manifest + b" ")
    with pytest.raises(FreezerError, match="another digest"):
        verify_image(away.opened, name, [keys[1]])


def test_an_expired_certificate_does_not_verify_an_image(
    home: Host, away: Host, tmp_path: Path
) -> None:
    name = publish(home).image.name
    key = Ed25519PrivateKey.generate()
    for file, data in (("a.key", private(key)), ("a.pub", public(key)), ("a.pem", expired_certificate(key))):  # fmt: skip
        (tmp_path / file).write_bytes(data)
    sign_image(home.opened, name, tmp_path / "a.key", NOBODY)
    assert "expired" in str(judged(away, name, tmp_path / "a.pem").statements[0].problem)
    then = datetime.now(UTC) - timedelta(days=15)
    assert verify_image(away.opened, name, [tmp_path / "a.pem"], at=then).good
    assert is_good(away, name, tmp_path / "a.pub")


def test_too_many_statements_are_not_all_read(
    home: Host, away: Host, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = publish(home).image.name
    for number in range(3):
        inject(name, json.dumps({"x": number}).encode())
    monkeypatch.setattr(image_flow, "MOST", 2)
    assert len(verify_image(away.opened, name, [keys[1]]).statements) == 2
    assert any("3 statements; 2 of them" in text for text in away.ear.warnings)


def test_a_tag_is_not_enough(home: Host, keys: tuple[Path, Path]) -> None:
    name = f"{home.address}/team/demo:v1"
    with pytest.raises(SpecError, match="a tag may move"):
        sign_image(home.opened, name, keys[0], NOBODY)
    with pytest.raises(SpecError, match="a tag may move"):
        verify_image(home.opened, name, [keys[1]])


def test_an_index_of_several_platforms_is_signed_as_a_whole(
    home: Host, away: Host, registry: MemoryRegistry, keys: tuple[Path, Path], api: bool
) -> None:
    name = publish(home).image.name
    place, _, digest = name.partition("@")
    whole = oci.index([oci.descriptor(oci.MANIFEST, digest, 1)])
    registry.manifests["team/demo", sha(whole)] = (oci.INDEX, whole)
    several = f"{place}@{sha(whole)}"
    sign_image(home.opened, several, keys[0], NOBODY)
    assert is_good(away, several, keys[1])
    # That says nothing of the images in it, one by one.
    assert not is_good(away, name, keys[1])
    (one,) = [one for one in artifacts(registry) if one["artifactType"] == MEDIA]
    assert one["subject"]["mediaType"] == oci.INDEX


def test_signatures_all_stay(home: Host, tmp_path: Path, api: bool) -> None:
    name = publish(home).image.name
    pairs = [key_pair(tmp_path, one) for one in ("ann", "bob")]
    for secret, _ in pairs:
        sign_image(home.opened, name, secret, NOBODY)
    assert all(is_good(home, name, shared) for _, shared in pairs)
    repository = Repository(parse_reference(name), Config())
    assert len(current_documents(attached(repository, name.partition("@")[2], None), MEDIA)) == 2


def test_references_are_found_beside_documents(home: Host, away: Host, api: bool) -> None:
    name = publish(home).image.name
    assert pull(away.opened, name).image.classes == (CLASS,)
