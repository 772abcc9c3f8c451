"""Signed statements, reports and keys: any edit is refused with words, or is still one."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from freezer.engine.interface import Engine
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.attest.report import sign_report
from freezer.flows.governance.key_files import Password
from freezer.flows.project.project import Project
from freezer.governance.attest.bundle import as_bundles, sign_statement, verify_statement
from freezer.governance.attest.keys import private_key, public_key
from freezer.governance.attest.provenance import mismatch, rebuilt_of
from freezer.governance.attest.statement import Subject, parse_statement, statement
from freezer.governance.attest.summary import summary_of
from freezer.model.events import SilentReporter
from tests.support.fuzz import Target, attempt, hold
from tests.support.project.locks import make_lock
from tests.support.signatures.keys import key_pair, private, public, valid_certificate

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
SIGNER = private_key(private(KEY), "team.key")
PUBLIC = public_key(public(KEY), "team.pub")
CHECKED = statement(
    [Subject("demo image", "0" * 64)],
    "https://in-toto.io/attestation/test-result/v0.1",
    {"result": "PASSED", "freezer_check": {"class": "c", "date": "2026-11-30", "verdict": "x"}},
)
STATEMENT = statement(
    [Subject("demo lock", "0" * 64)],
    "https://slsa.dev/provenance/v1",
    {
        "buildDefinition": {"resolvedDependencies": [{"digest": {"sha256": "1" * 64}}]},
        "runDetails": {"metadata": {"freezer_rebuiltSameImage": True}},
    },
)
BUNDLE = sign_statement(STATEMENT, SIGNER)
ENVELOPE = json.dumps(json.loads(BUNDLE)["dsseEnvelope"]).encode()
REPORT = json.dumps(
    {
        "environment": "demo", "lock-id": "1" * 64, "image": "2" * 64, "verdict": "identical",
        "class": "c", "date": "2026-11-30T00:00:00Z", "host": {"cpu": "x", "gpus": ["y"]},
        "trainings": [{"training": "t", "word": "identical"}],
        "metrics": [{"training": "t", "curves": [{"name": "loss", "steps": [1], "found": [0.5]}]}],
    }
).encode()  # fmt: skip
LOCK = make_lock()


def no_engine() -> Engine:
    raise AssertionError("this needs no engine")


def signed(data: bytes) -> object:
    payload, signers = verify_statement(data, [PUBLIC], "x")
    as_bundles(data, "x")
    # A signature covers every byte of the payload.
    assert not signers or payload == STATEMENT
    return payload


def judged(data: bytes) -> object:
    stated = parse_statement(data, "x")
    assert len(summary_of(stated)) < 1000
    return mismatch(LOCK, stated), rebuilt_of(stated)


def report(data: bytes) -> object:
    with tempfile.TemporaryDirectory() as folder:
        secret, _ = key_pair(Path(folder))
        (Path(folder) / "check.json").write_bytes(data)
        store = Store.open(Path(folder) / "store")
        project = Project(Path(folder), Config(), store, no_engine, SilentReporter())
        return sign_report(project, Path(folder) / "check.json", secret, Password())


TARGETS = [
    Target("signed statement", signed, [BUNDLE, ENVELOPE], "json"),
    Target("statement", judged, [STATEMENT, CHECKED], "json"),
    Target("report of a check", report, [REPORT], "json"),
    Target("private key", lambda data: private_key(data, "k"), [private(KEY)], "text"),
    Target(
        "public key",
        lambda data: public_key(data, "k"),
        [public(KEY), valid_certificate(KEY)],
        "text",
    ),
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)


def test_the_seeds_mean_what_they_should() -> None:
    assert all(attempt(target, seed) for target in TARGETS for seed in target.seeds)
