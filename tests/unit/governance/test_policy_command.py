"""`freeze policy check`, and the gate before lock, build and rollback, on a shipped environment."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from freezer.errors import FreezerError, HostError, PolicyError, SpecError
from freezer.flows.governance.osv_database import read_database
from freezer.flows.governance.policy import check_policy
from freezer.flows.project.environment import load_locked
from freezer.flows.project.project import Project
from freezer.output.governance.policy import document
from freezer.output.governance.policy_formats import junit, sarif

ENV = "boosting"


def write(project: Project, text: str) -> None:
    (project.root / "policy.yaml").write_text(text)


BROKEN = """
rules:
  banned: ["pip:numpy"]
  required: ["pip:torch"]
  licenses: {allow: [MIT], ecosystems: [pip]}
  verified: true
deviations:
  - {rule: required, reason: "not < needed", owner: me, until: "2099-01-01"}
"""


def test_a_project_without_a_policy(project: Project) -> None:
    with pytest.raises(SpecError, match="has no policy") as caught:
        check_policy(project, None)
    assert "policy.md" in str(caught.value)
    locked = load_locked(project.root, ENV)
    project.require_allowed("lock", locked.lock, locked.id)


def test_the_outcome_in_every_format(project: Project) -> None:
    write(project, BROKEN)
    result = check_policy(project, None)
    assert not result.good
    found = document(result)
    assert found["rules"] == ["licenses", "banned", "required", "verified"]
    (one,) = found["environments"]
    assert one["environment"] == ENV
    rules = {violation["rule"]: violation for violation in one["violations"]}
    assert set(rules) == {"licenses", "banned", "required", "verified"}
    assert "freeze fetch" in rules["licenses"]["next"]  # the store is empty
    assert rules["required"]["breaks"] is False

    suite = ET.fromstring(junit(result))[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "3")
    failed = {case.get("name") for case in suite if case.find("failure") is not None}
    assert failed == {"licenses", "banned", "verified"}

    run = json.loads(sarif(result))["runs"][0]
    assert len(run["results"]) == len(one["violations"])
    suppressed = [item for item in run["results"] if "suppressions" in item]
    assert [item["ruleId"] for item in suppressed] == ["required"]
    for item in run["results"]:
        assert run["tool"]["driver"]["rules"][item["ruleIndex"]]["id"] == item["ruleId"]


def test_the_gate_warns_or_refuses(project: Project) -> None:
    locked = load_locked(project.root, ENV)
    write(project, BROKEN)
    project.require_allowed("build", locked.lock, locked.id)
    report = project.report
    warnings: list[str] = report.warnings  # type: ignore[attr-defined]
    assert [text for text in warnings if text.startswith("policy: banned: pip:numpy")]
    # What comes after a lock is not asked before it, nor the license of a file not fetched yet.
    assert not [text for text in warnings if "verified" in text or "licenses" in text]

    write(project, "enforce: [lock]\n" + BROKEN)
    with pytest.raises(PolicyError, match="breaks the policy, which `lock` enforces") as caught:
        project.require_allowed("lock", locked.lock, locked.id)
    assert caught.value.exit_code == 1
    assert len(caught.value.details) == 1
    project.require_allowed("rollback", locked.lock, locked.id)

    write(project, "enforce: [lock]\nrules: {banned: ['pip:torch']}\n")
    project.require_allowed("lock", locked.lock, locked.id)


def test_an_unreadable_policy_refuses_everything(project: Project) -> None:
    locked = load_locked(project.root, ENV)
    write(project, "rules: {bannd: []}")
    with pytest.raises(SpecError, match="bannd"):
        project.require_allowed("lock", locked.lock, locked.id)


RECORD = {
    "id": "PYSEC-1",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "numpy"},
                  "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}],
}  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
def test_vulnerabilities_from_a_folder_or_a_zip(project: Project, packed: bool) -> None:
    name = "osv.zip" if packed else "osv"
    if packed:
        with zipfile.ZipFile(project.root / name, "w") as archive:
            archive.writestr("PYSEC-1.json", json.dumps(RECORD))
    else:
        (project.root / name / "below").mkdir(parents=True)
        (project.root / name / "below" / "PYSEC-1.json").write_text(json.dumps(RECORD))
    write(project, f"rules: {{vulnerabilities: {{database: {name}}}}}")
    (one,) = check_policy(project, [ENV]).environments
    (violation,) = one.violations
    assert (violation.rule, violation.subject) == ("vulnerabilities", "pip:numpy")
    assert violation.expected == "no fixed version known"


@pytest.mark.parametrize("text", ["[]", "{}", "nonsense", '{"id": 3}', "[" * 100_000])
def test_a_file_that_is_no_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(HostError, match="no OSV record") as caught:
        read_database(tmp_path, "osv")
    assert "osv/x.json" in str(caught.value)


@pytest.mark.parametrize("make", ["nothing", "empty folder", "no zip"])
def test_a_database_that_is_none_is_an_error(tmp_path: Path, make: str) -> None:
    path = tmp_path / "osv"
    if make == "empty folder":
        path.mkdir()
    elif make == "no zip":
        path.write_text("text")
    with pytest.raises(FreezerError):
        read_database(path, "osv")
