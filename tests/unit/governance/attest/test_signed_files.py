"""``freeze sign REPORT`` and ``ARCHIVE``: what is signed is what is verified, to the byte."""

from __future__ import annotations

import base64
import io
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import HostError, IntegrityError, SpecError
from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.fetch.archive_storage.interface import Source
from freezer.flows.attest.archive import SIGNATURE, sign_archive, verify_archive_signature
from freezer.flows.attest.report import sign_report, statement_path, verify_report
from freezer.flows.governance.attest import verify_lock
from freezer.flows.governance.key_files import Password
from freezer.flows.project.environment import load_locked
from freezer.flows.project.project import Project
from freezer.governance.archive.fixity import verify_root
from freezer.governance.archive.ocfl import add_version, open_root
from freezer.governance.attest.bundle import sign_statement
from freezer.governance.attest.check_report import check_statement, parse_report
from freezer.governance.attest.files import sign_files, verify_files
from freezer.governance.attest.keys import private_key, public_key
from freezer.model.canonical import digest
from tests.support.signatures.keys import expired_certificate, key_pair, private, public

NOBODY = Password()
REPORT: dict[str, Any] = {
    "environment": "demo",
    "lock-id": "1" * 64,
    "image": f"sha256:{'2' * 64}",
    "verdict": "equivalent",
    "good": True,
    "class": "x86-64-v3-haswell",
    "date": "2026-11-30T13:00:00Z",
    "host": {"cpu": "Some CPU", "level": "x86-64-v3", "kernel": "6.1"},
    "trainings": [
        {"training": "numpy", "word": "identical", "observations": 3, "steps": 1},
        {"training": "torch", "word": "equivalent", "observations": 3, "steps": 2},
        {"training": "own", "word": "drifted", "observations": 3, "steps": 2},
    ],
    "metrics": [
        {
            "training": "torch",
            "curves": [{"name": "loss", "steps": [1, 2, 3], "found": [0.5, 0.25, None]}],
        }
    ],
}


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return key_pair(tmp_path)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "check.json"
    path.write_text(json.dumps(REPORT))
    return path


def payload_of(path: Path) -> Any:
    return json.loads(base64.b64decode(json.loads(path.read_bytes())["dsseEnvelope"]["payload"]))


def test_a_report_states_image_numbers_class_and_day(
    project: Project, report: Path, keys: tuple[Path, Path]
) -> None:
    done = sign_report(project, report, keys[0], NOBODY)
    assert done.path == statement_path(report)
    assert verify_report(report, [keys[1]]).problem is None
    statement = payload_of(done.path)
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert {one["name"]: one["digest"]["sha256"] for one in statement["subject"]} == {
        "demo image": "2" * 64,
        "demo lock": "1" * 64,
        "report": digest(report.read_bytes()),
    }
    predicate = statement["predicate"]
    assert predicate["result"] == "WARNED"
    assert [predicate[f"{word}Tests"] for word in ("passed", "warned", "failed")] == [
        ["numpy"], ["torch"], ["own"],
    ]  # fmt: skip
    assert predicate["configuration"] == [{"name": "demo lock", "digest": {"sha256": "1" * 64}}]
    assert predicate["freezer_check"] == {
        "class": "x86-64-v3-haswell",
        "date": "2026-11-30T13:00:00Z",
        "verdict": "equivalent",
        "host": {"cpu": "Some CPU", "level": "x86-64-v3"},
        "numbers": [{"training": "torch", "name": "loss", "step": 2, "value": 0.25}],
    }


def test_every_changed_byte_of_a_report_is_found(
    project: Project, report: Path, keys: tuple[Path, Path]
) -> None:
    sign_report(project, report, keys[0], NOBODY)
    data = report.read_bytes()
    for place in range(0, len(data), 7):
        changed = bytearray(data)
        changed[place] ^= 1
        report.write_bytes(changed)
        with suppress(SpecError):  # no report any more
            assert verify_report(report, [keys[1]]).problem == "it is about another report"
    report.write_bytes(data)
    assert verify_report(report, [keys[1]]).problem is None


def test_what_is_no_signature_of_a_report(
    project: Project, report: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    secret, shared = keys
    assert verify_report(report, [shared]).problem == "this report is not signed"
    path = sign_report(project, report, secret, NOBODY).path
    _, stranger = key_pair(tmp_path, "other")
    assert verify_report(report, [stranger]).problem == "none of the given keys signed it"

    def judge(**changes: Any) -> str | None:
        facts = parse_report(json.dumps({**REPORT, **changes}).encode())
        sha256 = digest(report.read_bytes())
        signed = sign_statement(
            check_statement(facts, sha256), private_key(secret.read_bytes(), "k")
        )
        path.write_bytes(signed)
        return verify_report(report, [shared]).problem

    assert judge() is None
    assert judge(image="3" * 64) == "it is about another image"
    assert judge(environment="other") == "it is about another image"
    assert judge(**{"lock-id": "3" * 64}) == "it is about another lock"
    other_type = sign_files({"report": digest(report.read_bytes())}, private_key(secret.read_bytes(), "k"))  # fmt: skip
    path.write_bytes(other_type)
    assert "it is no check's result" in str(verify_report(report, [shared]).problem)
    path.write_bytes(other_type[:-3])
    with pytest.raises(IntegrityError):
        verify_report(report, [shared])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verdict": None}, "no verdict"),
        ({"date": "yesterday"}, "date"),
        ({"date": None}, "no date"),
        ({"image": "sha256:1"}, "image"),
        ({"trainings": []}, "no trainings"),
        ({"trainings": [{}]}, "no training"),
        ({"class": "a\x1b[2Jb"}, "no class"),
        ({"class": "a/b"}, "class 'a/b'"),
        ({"environment": "../../x"}, "environment '../../x'"),
        ({"host": {"cpu": "\ud800"}}, "surrogates"),
        ({"host": {"cpu": {"a": float("inf")}}}, "Infinity is no JSON"),
    ],
)
def test_a_file_that_is_no_report_is_refused(
    project: Project, report: Path, keys: tuple[Path, Path], change: dict[str, Any], words: str
) -> None:
    report.write_text(json.dumps({**REPORT, **change}))
    with pytest.raises(SpecError) as caught:
        sign_report(project, report, keys[0], NOBODY)
    assert words in str(caught.value)
    assert "freeze check ENV --json" in str(caught.value)
    assert not statement_path(report).exists()


@given(
    st.dictionaries(
        st.sampled_from(list(REPORT)),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.dictionaries(
            st.sampled_from(["training", "word", "curves", "found", "steps", "name"]),
            st.none() | st.text(max_size=3) | st.lists(st.floats() | st.none(), max_size=2),
        ), max_size=2),
    )
)  # fmt: skip
def test_any_document_is_a_report_or_says_why_not(changes: dict[str, Any]) -> None:
    data = json.dumps({**REPORT, **changes}).encode()
    with suppress(ValueError):
        assert check_statement(parse_report(data), "0" * 64)


def test_a_report_of_the_projects_lock_is_kept_with_it(
    project: Project, report: Path, keys: tuple[Path, Path]
) -> None:
    assert sign_report(project, report, keys[0], NOBODY).kept is None
    locked = load_locked(project.root, "boosting")
    own = {**REPORT, "environment": "boosting", "lock-id": locked.id}
    report.write_text(json.dumps(own))
    done = sign_report(project, report, keys[0], NOBODY)
    assert done.kept is not None
    assert done.kept.parent == locked.folder / "attestations"
    assert done.kept.read_bytes() == done.path.read_bytes()
    # It is no provenance, and is not taken for one.
    assert verify_lock(project, "boosting", [keys[1]]).problem == "this lock is not signed"


# Archives


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "archive"
    open_root(FolderStorage(root), make=True)
    for name in ("one", "two"):
        write(root, name, name.encode())
    return root


def write(root: Path, name: str, data: bytes) -> None:
    source = Source(digest(data), len(data), lambda: io.BytesIO(data))
    storage = FolderStorage(root)
    add_version(storage, name, {"file": source}, created="2026-11-30T13:00:00Z", message="m")


def problems(archive: Path, *shared: Path) -> tuple[str, ...]:
    return verify_archive_signature(archive, shared).problems


def test_the_inventories_of_an_archive_are_signed(
    archive: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    secret, shared = keys
    assert problems(archive, shared) == ("this archive is not signed",)
    done = sign_archive(archive, secret, NOBODY)
    assert done.environments == ("one", "two")
    assert problems(archive, shared) == ()
    # The signature is no file that does not belong there.
    assert verify_root(FolderStorage(archive)) == []
    first = done.path.read_bytes()
    assert sign_archive(archive, secret, NOBODY).path.read_bytes() == first
    _, stranger = key_pair(tmp_path, "other")
    assert problems(archive, stranger) == ("none of the given keys signed it",)

    inventory = archive / "one" / "inventory.json"
    inventory.write_bytes(inventory.read_bytes() + b" ")
    assert problems(archive, shared) == ("one/inventory.json is not the one that was signed",)
    write(archive, "three", b"3")
    assert "three/inventory.json is not signed" in problems(archive, shared)
    (archive / "two").rename(tmp_path / "gone")
    assert "two/inventory.json is gone since it was signed" in problems(archive, shared)


def test_a_statement_of_another_type_is_no_signature_of_an_archive(
    archive: Path, keys: tuple[Path, Path]
) -> None:
    path = sign_archive(archive, keys[0], NOBODY).path
    assert path.name == SIGNATURE
    signer = private_key(keys[0].read_bytes(), "k")
    path.write_bytes(sign_files({"one/inventory.json": "0" * 64}, signer, "urn:other"))
    assert "it is not of type" in problems(archive, keys[1])[0]


def test_an_expired_certificate_is_no_signature_of_an_archive(
    archive: Path, tmp_path: Path
) -> None:
    key = Ed25519PrivateKey.generate()
    for name, data in (("a.key", private(key)), ("a.pem", expired_certificate(key))):
        (tmp_path / name).write_bytes(data)
    sign_archive(archive, tmp_path / "a.key", NOBODY)
    assert "expired" in problems(archive, tmp_path / "a.pem")[0]
    then = datetime.now(UTC) - timedelta(days=15)
    assert not verify_archive_signature(archive, [tmp_path / "a.pem"], at=then).problems


def test_what_is_no_archive_cannot_be_signed(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    with pytest.raises(HostError, match="no archive"):
        sign_archive(tmp_path, keys[0], NOBODY)
    open_root(FolderStorage(tmp_path / "empty"), make=True)
    with pytest.raises(HostError, match="nothing to sign"):
        sign_archive(tmp_path / "empty", keys[0], NOBODY)


def test_files_are_signed_by_name_and_digest() -> None:
    key = Ed25519PrivateKey.generate()
    digests = {"b": "0" * 64, "a": "1" * 64}
    data = sign_files(digests, private_key(private(key), "k"))
    own = public_key(public(key), "k")
    assert verify_files(data, [own], "x") == (digests, (own,), None)
