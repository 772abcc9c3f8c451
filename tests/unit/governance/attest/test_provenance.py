"""Provenance of the shipped locks: whole and true by the text of SLSA v1."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from freezer.ecosystems import lock_artifacts
from freezer.governance.attest.provenance import (
    REBUILT,
    Subjects,
    mismatch,
    provenance,
    rebuilt_of,
)
from freezer.governance.attest.statement import parse_statement
from freezer.governance.attest.summary import summary_of
from freezer.governance.sbom.parts import bill_of_materials
from freezer.image.base import base_blobs
from freezer.model.lock import Lock
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock

LOCKS = Path(__file__).parents[4] / "lockfiles"
NAMES = sorted(path.parent.name for path in LOCKS.glob(f"*/{LOCK_FILE}"))


def read(name: str) -> tuple[Lock, str]:
    data = (LOCKS / name / LOCK_FILE).read_bytes()
    return parse_lock(data, name), lock_id(data)


def made(lock: Lock, identifier: str, rebuilt: bool | None = None) -> bytes:
    sbom = bill_of_materials(lock, identifier, licenses={}, references=(), version="1")
    subjects = Subjects(lock.name, identifier, "1" * 64)
    return provenance(lock, sbom, subjects, builder="urn:x:b", rebuilt=rebuilt)


def document(payload: bytes) -> Any:
    return json.loads(payload)


@pytest.mark.parametrize("name", NAMES)
def test_every_artifact_of_a_build_is_a_material_by_digest(name: str) -> None:
    lock, identifier = read(name)
    definition = document(made(lock, identifier))["predicate"]["buildDefinition"]
    listed = definition["resolvedDependencies"]
    found = {one["digest"]["sha256"] for one in listed}
    # What ``build --verify`` takes into its empty store, but for the base's layers: those are
    # in its manifest.
    needed = {one.sha256 for one in lock_artifacts(lock)}
    needed |= {file.sha256 for file in lock.own_files} | {lock.inside.sha256}
    if lock.base.kind == "registry":
        assert base_blobs(lock.base)
        needed.add(lock.base.manifest.removeprefix("sha256:"))
    assert found == needed
    names = [one["name"] for one in listed]
    assert len(set(names)) == len(names)
    assert mismatch(lock, parse_statement(made(lock, identifier), "x")) is None


@pytest.mark.parametrize("rebuilt", [None, True, False])
def test_the_fields_are_those_that_slsa_v1_names(rebuilt: bool | None) -> None:
    lock, identifier = read(NAMES[0])
    payload = made(lock, identifier, rebuilt)
    assert payload == made(lock, identifier, rebuilt)
    statement = document(payload)
    assert set(statement) == {"_type", "subject", "predicateType", "predicate"}
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    definition, run = (statement["predicate"][key] for key in ("buildDefinition", "runDetails"))
    assert set(definition) == {
        "buildType", "externalParameters", "internalParameters", "resolvedDependencies",
    }  # fmt: skip
    # Parameters are plain, and no name is in both.
    external, internal = definition["externalParameters"], definition["internalParameters"]
    assert not set(external) & set(internal)
    assert all(isinstance(value, str) for value in (*external.values(), *internal.values()))
    assert external["lock-id"] == identifier
    assert set(run) <= {"builder", "metadata", "byproducts"}
    assert set(run["builder"]) == {"id", "version"}
    assert all(isinstance(value, str) for value in run["builder"]["version"].values())
    # A descriptor has a URI, a digest or a content; an extension field a vendor and an underscore.
    for one in (*definition["resolvedDependencies"], *statement["subject"]):
        assert set(one) <= {"name", "uri", "digest"}
        assert re.fullmatch(r"[0-9a-f]{64}", one["digest"]["sha256"])
    assert run.get("metadata", {}) == ({} if rebuilt is None else {REBUILT: rebuilt})
    assert re.fullmatch(r"freezer_[a-zA-Z]+", REBUILT)
    assert rebuilt_of(parse_statement(payload, "x")) is rebuilt


def test_materials_that_are_not_those_of_the_lock_are_told_apart() -> None:
    lock, identifier = read(NAMES[0])
    whole = document(made(lock, identifier))

    def judge(change: Any) -> str | None:
        changed = json.loads(json.dumps(whole))
        change(changed["predicate"]["buildDefinition"])
        return mismatch(lock, parse_statement(json.dumps(changed).encode(), "x"))

    def replace_one(definition: Any) -> None:
        definition["resolvedDependencies"].append({"digest": {"sha256": "2" * 64}})

    def drop_one(definition: Any) -> None:
        wanted = next(lock_artifacts(lock)).sha256
        definition["resolvedDependencies"] = [
            one for one in definition["resolvedDependencies"] if one["digest"]["sha256"] != wanted
        ]

    assert judge(lambda _: None) is None
    assert "lack 1 of" in str(judge(drop_one))
    assert "include 1 files" in str(judge(replace_one))
    assert "lack" in str(judge(lambda one: one.update(resolvedDependencies=7)))
    assert "lack" in str(judge(lambda one: one.update(resolvedDependencies=[None, {}])))


@pytest.mark.parametrize(
    ("rebuilt", "words"), [(None, ""), (True, "gave the same image"), (False, "gave ANOTHER image")]
)
def test_a_provenance_in_a_line(rebuilt: bool | None, words: str) -> None:
    lock, identifier = read(NAMES[0])
    said = summary_of(parse_statement(made(lock, identifier, rebuilt), "x"))
    assert said.startswith(f"provenance of lock {identifier[:12]}")
    assert said.endswith(words)
