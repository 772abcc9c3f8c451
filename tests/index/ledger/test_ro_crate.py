"""A crate of runs, as the validator of RO-Crate and readers of PROV-O see it."""

from __future__ import annotations

import hashlib
import io
import json
import math
import shutil
import subprocess
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from freezer.cli.main import run as freeze
from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.flows.governance.archive.create import create_archive
from freezer.governance.archive.ocfl import read_object
from freezer.ledger.connect import open_ledger
from freezer.ledger.record import record
from freezer.ledger.series import Points
from freezer.model.record.run import Digest, Output, Run, Time
from tests.support.host.hosts import make_small_host
from tests.support.host.tools import install

pytestmark = [pytest.mark.index, pytest.mark.timeout(600)]
VALIDATE = """
import email.message, io, json, pathlib, sys, urllib.request, urllib.response
import rdflib, requests, rocrate
from rocrate.rocrate import ROCrate
from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester
# The context of RO-Crate as the package `rocrate` has it: nothing is fetched.
CONTEXT = (pathlib.Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_bytes()

def known(url):
    assert url == "https://w3id.org/ro/crate/1.1/context", url

def opened(self, request, *rest, **more):
    url = request if isinstance(request, str) else request.full_url
    known(url)
    head = email.message.Message()
    head["Content-Type"] = "application/ld+json"
    return urllib.response.addinfourl(io.BytesIO(CONTEXT), head, url, 200)

def answered(self, url, *rest, **more):
    known(url)
    answer = requests.Response()
    answer.status_code, answer.url, answer._content = 200, url, CONTEXT
    answer.headers["Content-Type"] = "application/ld+json"
    return answer

urllib.request.OpenerDirector.open = opened
HttpRequester.get = HttpRequester.head = HttpRequester.fetch_fresh = answered
folder = sys.argv[1]
settings = services.ValidationSettings(rocrate_uri=folder, cache_path=None,
    profile_identifier="process-run-crate", requirement_severity=models.Severity.RECOMMENDED)
issues = services.validate(settings).get_issues()
crate = ROCrate(folder)
graph = rdflib.Graph().parse(folder + "/provenance.jsonld", format="json-ld")
asked = "SELECT ?run ?label WHERE { ?e prov:wasGeneratedBy ?run ; rdfs:label ?label . ?run a prov:Activity }"
used = "SELECT ?run ?e WHERE { ?run prov:used ?e . ?e a prov:Entity . ?run prov:startedAtTime ?t }"
names = {"prov": "http://www.w3.org/ns/prov#", "rdfs": rdflib.RDFS}
print(json.dumps({
    "issues": [[one.severity.name, one.message] for one in issues],
    "entities": sorted(one.id for one in crate.get_entities()),
    "generated": sorted([str(r), str(l)] for r, l in graph.query(asked, initNs=names)),
    "used": len(list(graph.query(used, initNs=names))),
}))
"""
PATCH, MODEL = b"diff --git a/x b/x\n", b"a model"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def run(number: int, state: str, **fields: object) -> Run:
    made = {
        "params.lr": 0.1,
        "params.text": "a b/ü",
        "metrics.loss": math.nan,
        "lock": Digest("8e" * 32),
        "image": Digest("sha256:" + "ab" * 32),
        "seed": 7,
        "git.commit": Digest("c" * 40),
        "git.patch": Digest(sha(PATCH)),
        "data.train": Digest("d" * 64),
        "data.train.list": Digest(sha(b"a list")),
        "settings.OMP_NUM_THREADS": "1",
        **fields,
    }
    return Run(
        f"{number:016x}", "demo", state, Time(1793491200123456), ("python", "train.py"),
        ended=Time(1793491260000000 + number), exit_code=0, fields=made,  # type: ignore[arg-type]
        outputs=(Output("sub dir/ü.bin", len(MODEL), sha(MODEL)), Output("gone.txt", 3, "f" * 64)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validator") / "venv"
    return install(folder, "roc-validator==0.13.0", "rocrate==0.16.0")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    ledger = open_ledger(folder / ".freezer" / "ledger.db")
    series = {"metrics.loss": Points.of([(0, 0, 1.0), (1, 1, math.nan)])}
    record(ledger, run(1, "finished"), series, [PATCH, b"a list"])
    record(ledger, run(2, "failed", **{"params.lr": math.inf}), series)
    ledger.close()
    output = folder / ".freezer" / "runs" / run(1, "finished").id / "output" / "sub dir"
    output.mkdir(parents=True)
    (output / "ü.bin").write_bytes(MODEL)
    return folder


def test_the_validator_finds_nothing_that_must_be_otherwise(
    validator: Path, project: Path, tmp_path: Path
) -> None:
    words = ["-C", str(project), "runs", "export", "--author", "A. Person"]
    with redirect_stdout(io.StringIO()):
        assert freeze([*words, "--ro-crate", str(tmp_path / "crate")]) == 0
    command = [validator, "-c", VALIDATE, str(tmp_path / "crate")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert [message for severity, message in found["issues"] if severity == "REQUIRED"] == []
    assert {message for _, message in found["issues"]} == {
        "The SoftwareApplication id SHOULD be an absolute URI",
        "The ContainerImage SHOULD have a registry",
        "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
        "The author SHOULD have an organizational affiliation.",
        "The author SHOULD have a Contextual Entity which specifies the organizational `affiliation`.",
    }, "only what a run cannot know"
    first, second = "0" * 15 + "1", "0" * 15 + "2"
    for part in ("run.json", "code.patch", "output/sub%20dir/%C3%BC.bin"):
        assert f"{first}/{part}" in found["entities"]
    assert [f"urn:freezer:run:{first}", "sub dir/ü.bin"] in found["generated"]
    assert [f"urn:freezer:run:{second}", "gone.txt"] in found["generated"]
    assert found["used"] == 20


def test_a_version_of_an_archive_is_a_crate(validator: Path, tmp_path: Path) -> None:
    host = make_small_host(tmp_path / "host")
    create_archive(host.opened, "demo", str(tmp_path / "archive"))
    inventory = read_object(FolderStorage(tmp_path / "archive"), "demo")
    assert inventory is not None
    for path, sha256 in inventory.versions[0].state.items():
        target = tmp_path / "crate" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tmp_path / "archive" / "demo" / inventory.manifest[sha256], target)
    code = VALIDATE.partition("crate = ROCrate")[0].replace("process-run-crate", "ro-crate-1.1")
    code += "print(json.dumps([[one.severity.name, one.message] for one in issues]))"
    command = [validator, "-c", code, str(tmp_path / "crate")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    issues = json.loads(done.stdout.splitlines()[-1])
    # Who publishes an archive is not known to it.
    assert all(level == "RECOMMENDED" for level, _ in issues), issues
    assert all("author" in text or "publisher" in text for _, text in issues), issues
