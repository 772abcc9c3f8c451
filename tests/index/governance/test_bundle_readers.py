"""Signed statements, verified by Sigstore's own JavaScript library and parsed by others' models."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from freezer.governance.attest.bundle import sign_statement, verify_statement
from freezer.governance.attest.check_report import check_statement, parse_report
from freezer.governance.attest.keys import private_key, public_key
from freezer.governance.attest.provenance import Subjects, provenance
from freezer.governance.attest.statement import image_signature
from freezer.governance.sbom.parts import bill_of_materials
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock
from tests.support.signatures.keys import key_pair

pytestmark = pytest.mark.index
LOCK = Path(__file__).parents[3] / "lockfiles" / "boosting" / LOCK_FILE
VERIFY = """
const fs = require("fs"), crypto = require("crypto");
const { bundleFromJSON } = require("@sigstore/bundle");
const { Verifier, toSignedEntity } = require("@sigstore/verify");
const [bundleFile, keyFile] = process.argv.slice(2);
const publicKey = crypto.createPublicKey(fs.readFileSync(keyFile));
const der = publicKey.export({ type: "spki", format: "der" });
const own = crypto.createHash("sha256").update(der).digest("base64");
const find = (hint) => {
  if (hint !== own) throw new Error("another key's hint");
  return { publicKey, validFor: () => true };
};
const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundleFile)));
const trust = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const least = { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 };
new Verifier({ ...trust, publicKey: find }, least).verify(toSignedEntity(bundle));
process.stdout.write(bundle.content.dsseEnvelope.payload);
"""
SIGN = """
const fs = require("fs"), crypto = require("crypto");
const { bundleToJSON, toDSSEBundle } = require("@sigstore/bundle");
const { dsse } = require("@sigstore/core");
const [payloadFile, keyFile] = process.argv.slice(2);
const key = crypto.createPrivateKey(fs.readFileSync(keyFile));
const artifact = fs.readFileSync(payloadFile), artifactType = "application/vnd.in-toto+json";
const message = dsse.preAuthEncoding(artifactType, artifact);
const signature = crypto.sign(key.asymmetricKeyType === "ec" ? "sha256" : null, message, key);
const bundle = toDSSEBundle({ artifact, artifactType, signature, keyHint: "any" });
bundle.verificationMaterial.tlogEntries = [];
process.stdout.write(JSON.stringify(bundleToJSON(bundle)));
"""
PARSE = """
import base64, json, sys
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1 import statement_pb2
from sigstore_models.bundle.v1 import Bundle

def plain(value):
    # Extension fields have an underscore, and no other field has: all that is left must be known.
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if "_" not in key}
    return [plain(item) for item in value] if isinstance(value, list) else value

for path in sys.argv[1:]:
    bundle = Bundle.from_json(open(path, "rb").read())
    payload = json.loads(base64.b64decode(json.load(open(path))["dsseEnvelope"]["payload"]))
    statement = Statement.copy_from_pb(ParseDict(payload, statement_pb2.Statement()))
    predicate = plain(payload["predicate"])
    kind = payload["predicateType"]
    if predicate:  # what cosign states of an image is an empty one, which the model refuses
        statement.validate()
    if kind == "https://slsa.dev/provenance/v1":
        parsed = ParseDict(predicate, provenance_pb2.Provenance())
        for one in parsed.build_definition.resolved_dependencies:
            ResourceDescriptor.copy_from_pb(one).validate()
        print(len(parsed.build_definition.resolved_dependencies))
    elif kind.endswith("test-result/v0.1"):
        parsed = ParseDict(predicate, test_result_pb2.TestResult())
        for one in parsed.configuration:
            ResourceDescriptor.copy_from_pb(one).validate()
        print(parsed.result)
    else:
        print(bundle.media_type)
"""


@pytest.fixture(scope="module")
def payloads() -> dict[str, bytes]:
    data = LOCK.read_bytes()
    lock, identifier = parse_lock(data, "boosting"), lock_id(data)
    sbom = bill_of_materials(lock, identifier, licenses={}, references=(), version="1")
    subjects = Subjects(lock.name, identifier, "2" * 64)
    report = {
        "environment": "boosting", "lock-id": identifier, "image": "2" * 64,
        "verdict": "identical", "class": "x86-64-v3", "date": "2026-11-30T13:00:00Z",
        "trainings": [{"training": "xgboost", "word": "identical"}],
    }  # fmt: skip
    return {
        "image": image_signature("1" * 64),
        "provenance": provenance(lock, sbom, subjects, builder="urn:x:b", rebuilt=True),
        "report": check_statement(parse_report(json.dumps(report).encode()), "3" * 64),
    }


@pytest.fixture
def bundles(payloads: dict[str, bytes], tmp_path: Path) -> dict[tuple[str, str], Path]:
    """Sign each statement with each kind of key; return the files by both."""
    found = {}
    for kind in ("ed25519", "ecdsa"):
        secret, _ = key_pair(tmp_path, kind, kind)
        signer = private_key(secret.read_bytes(), "k")
        for name, payload in payloads.items():
            path = tmp_path / f"{kind}.{name}.json"
            path.write_bytes(sign_statement(payload, signer))
            found[kind, name] = path
    return found


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install Sigstore's library for JavaScript; return the script that verifies by it."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("sigstore")
    packages = ["@sigstore/bundle@4.0.0", "@sigstore/core@3.2.1", "@sigstore/verify@3.1.1"]
    options = ["--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
    install = ["npm", "install", *options, "--prefix", str(folder)]
    subprocess.run([*install, *packages], check=True, timeout=240)
    path = folder / "verify.js"
    path.write_text(VERIFY)
    return path


def verified(script: Path, bundle: Path, key: Path) -> bytes | None:
    """Return the payload that the library verified; None where it refused the bundle."""
    done = subprocess.run(
        ["node", str(script), str(bundle), str(key)], capture_output=True, timeout=60, check=False
    )
    return done.stdout if done.returncode == 0 else None


def test_sigstores_own_library_verifies_what_was_signed(
    script: Path,
    payloads: dict[str, bytes],
    bundles: dict[tuple[str, str], Path],
    tmp_path: Path,
) -> None:
    for (kind, name), path in bundles.items():
        assert verified(script, path, tmp_path / f"{kind}.pub") == payloads[name]
    path = bundles["ecdsa", "image"]
    assert verified(script, path, tmp_path / "ed25519.pub") is None
    document = json.loads(path.read_bytes())
    payload = base64.b64encode(image_signature("0" * 64)).decode()
    for changes in ({"payload": payload}, {"payloadType": "text/plain"}):
        swapped: dict[str, Any] = {**document["dsseEnvelope"], **changes}
        path.write_text(json.dumps({**document, "dsseEnvelope": swapped}))
        assert verified(script, path, tmp_path / "ecdsa.pub") is None


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_what_sigstores_own_library_made_is_verified_here(
    script: Path, payloads: dict[str, bytes], tmp_path: Path, kind: str
) -> None:
    secret, shared = key_pair(tmp_path, kind, kind)
    (tmp_path / "payload").write_bytes(payloads["image"])
    sign = script.with_name("sign.js")
    sign.write_text(SIGN)
    done = subprocess.run(
        ["node", str(sign), str(tmp_path / "payload"), str(secret)],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    own = public_key(shared.read_bytes(), "team.pub")
    assert verify_statement(done.stdout, [own], "x") == (payloads["image"], (own,))


def test_other_models_parse_bundles_statements_and_predicates(
    bundles: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "env"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = str(folder / "bin" / "python")
    packages = ["sigstore-models==0.0.6", "in-toto-attestation==0.9.3"]
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
    order = [bundles["ecdsa", name] for name in ("image", "provenance", "report")]
    done = subprocess.run(
        [python, "-c", PARSE, *map(str, order)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    media, count, result = done.stdout.split()
    assert media == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert int(count) > 100
    assert result == "PASSED"
