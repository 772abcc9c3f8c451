"""`freeze evidence`: the same bytes each time, whole or not at all, and what is missing is named."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from freezer.cli.main import run as command
from freezer.errors import HostError
from freezer.flows.review import evidence
from freezer.flows.review.evidence import write_folder
from tests.support.project.looked_back import looked_back

ROOT = Path(__file__).parents[4]
ENV = "boosting"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "store"))
    folder = tmp_path / "project"
    for part in ("images", "lockfiles"):
        shutil.copytree(ROOT / part / ENV, folder / part / ENV)
    return folder


def freeze(project: Path, *arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = command(["-C", str(project), "evidence", *arguments])
    assert "Traceback" not in err.getvalue()
    return code, out.getvalue(), err.getvalue()


def collected(project: Path, target: Path, *more: str) -> dict[str, Any]:
    code, out, err = freeze(project, "-o", str(target), "--json", *more)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_project_gives_the_same_bytes(project: Path, tmp_path: Path) -> None:
    first = collected(project, tmp_path / "one")
    (tmp_path / "two").mkdir()  # an empty folder will do
    second = collected(project, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert {**first, "folder": ""} == {**second, "folder": ""}
    assert not list(tmp_path.glob(".*part"))
    held = tree(tmp_path / "one")
    listed = {one["path"]: one["sha256"] for one in json.loads(held["manifest.json"])["files"]}
    own = {"manifest.json", "index.html", "SHA256SUMS"}
    assert listed == {
        path: hashlib.sha256(data).hexdigest() for path, data in held.items() if path not in own
    }
    lock = (project / "lockfiles" / ENV / "freeze.lock.yaml").read_bytes()
    assert held["lock/freeze.lock.yaml"] == lock
    assert json.loads(held["checks.json"])["checks"][0]["word"] == "identical"
    assert json.loads(held["history/verify.json"])["good"] is True
    assert all(one["about"] for one in json.loads(held["manifest.json"])["files"])


@pytest.mark.process
def test_the_sums_are_what_sha256sum_reads(project: Path, tmp_path: Path) -> None:
    collected(project, tmp_path / "out")
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path / "out", check=False).returncode == 0
    sums = (tmp_path / "out" / "SHA256SUMS").read_text().splitlines()
    assert len(sums) == len(tree(tmp_path / "out")) - 1
    (tmp_path / "out" / "index.html").write_text("other")
    done = subprocess.run(check, cwd=tmp_path / "out", check=False, capture_output=True)
    assert done.returncode == 1


def test_what_is_missing_is_named_with_the_command(project: Path, tmp_path: Path) -> None:
    missing = {one["what"]: one["hint"] for one in collected(project, tmp_path / "a")["missing"]}
    assert "`freeze sign boosting" in missing["a signature of the provenance"]
    assert "policy.yaml" in missing["a policy"]
    assert "freeze fetch" in next(hint for what, hint in missing.items() if "licenses of" in what)
    report, audit = tmp_path / "check.html", tmp_path / "audit.json"
    report.write_text("<p>a report</p>")
    audit.write_text('{"effects": [], "accepted": []}')
    (project / "policy.yaml").write_text("rules: {reasons: true}\n")
    found = collected(project, tmp_path / "b", "--add", str(report), "--add", str(audit))
    left = {one["what"] for one in found["missing"]}
    assert {"a policy", "the report of a check"} & left == set()
    assert not any("audit" in what for what in left)
    held = tree(tmp_path / "b")
    assert held["reports/check.html"] == b"<p>a report</p>"
    assert json.loads(held["policy.json"])["environments"][0]["environment"] == ENV


def test_an_edited_history_is_in_it(project: Path, tmp_path: Path) -> None:
    (project / "lockfiles" / ENV / "requirements.txt").write_text("edited\n")
    collected(project, tmp_path / "out")
    held = tree(tmp_path / "out")
    assert json.loads(held["history/verify.json"])["good"] is False
    assert b"edited: 1 faults" in held["index.html"] or b"edited:" in held["index.html"]


def test_runs_of_the_lock_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "store"))
    past = looked_back(tmp_path)
    collected(past.project, tmp_path / "out")
    held = tree(tmp_path / "out")
    assert json.loads(held["runs.json"])["count"] == 0  # none of them is of this lock
    assert b"<img" not in held["index.html"]


def test_an_existing_folder_is_left_alone(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    for path, said in (
        (target, "there is something here already"),
        (target / "mine.txt", "there is something here already"),
        (tmp_path / "none" / "out", "there is no folder"),
        (Path(), "this is the current folder"),
        (Path("/"), "there is something here already"),
    ):
        code, _, err = freeze(project, "-o", str(path))
        assert code == 2
        assert said in err
    assert tree(target) == {"mine.txt": b"mine"}
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert freeze(project, "-o", str(tmp_path / "link"))[0] == 2


def test_a_disk_that_fills_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def replace(source: Path, target: Path) -> None:
        calls.append(source)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(evidence.os, "replace", replace)
    with pytest.raises(HostError, match="no space left"):
        write_folder(tmp_path / "out", {"a/b": b"1"})
    assert calls
    assert list(tmp_path.iterdir()) == []


def test_reports_that_cannot_be_added(project: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "check.html").write_text("1")
    (tmp_path / "a" / "check.html").write_text("2")
    for added, said in (
        (["none.html"], "cannot be read"),
        ([str(tmp_path / "a")], "this is no file"),
        ([str(tmp_path / "check.html"), str(tmp_path / "a" / "check.html")], "two reports"),
    ):
        words = [word for one in added for word in ("--add", one)]
        code, _, err = freeze(project, "-o", str(tmp_path / "out"), *words)
        assert code == 2
        assert said in err
        assert not (tmp_path / "out").exists()


def test_a_project_without_a_lock(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / "lockfiles")
    code, _, err = freeze(project, "-o", str(tmp_path / "out"))
    assert code == 2
    assert "has no lock" in err
    assert not (tmp_path / "out").exists()
