"""`freeze data`: what a user sees, exit codes, and records that survive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from freezer.cli.main import run
from freezer.errors import EXIT_NEGATIVE, EXIT_OK, EXIT_USER

SPEC = """name: demo
base: {bootstrap: bookworm}
python: "3.11"
data:
  train: data/train
  all:
    path: data/**/*.csv
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("FREEZER_CONFIG", str(tmp_path / "config.yaml"))
    (tmp_path / "config.yaml").write_text("")
    folder = tmp_path / "project"
    (folder / "data/train/a").mkdir(parents=True)
    (folder / "data/train/a/x.csv").write_text("1\n")
    (folder / "data/train/y.csv").write_text("22\n")
    (folder / "freeze.yaml").write_text(SPEC)
    return folder


def freeze(project: Path, *arguments: str) -> int:
    return run(["-C", str(project), "data", *arguments])


def answer(project: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    freeze(project, *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_a_recorded_state_is_what_later_ones_are_compared_with(project, capsys) -> None:
    assert freeze(project, "record") == EXIT_OK
    assert answer(project, capsys.readouterr() and capsys, "status")["data"][1]["changed"] is False
    (project / "data/train/y.csv").rename(project / "data/train/z.csv")
    (project / "data/train/n.csv").write_text("3\n")
    found = {one["name"]: one for one in answer(project, capsys, "status")["data"]}
    assert found["train"]["changed"] is found["all"]["changed"] is True
    diff = answer(project, capsys, "diff", "train")
    assert [one["path"] for one in diff["added"]] == ["n.csv"]
    assert [(one["old"]["path"], one["new"]["path"]) for one in diff["moved"]] == [
        ("y.csv", "z.csv")
    ]
    assert freeze(project, "diff", "train") == EXIT_OK
    assert "1 added, 1 moved, 1 unchanged" in capsys.readouterr().out


def test_an_earlier_state_is_named_by_its_digest(project, capsys) -> None:
    first = answer(project, capsys, "record", "train")["data"][0]["digest"]
    (project / "data/train/y.csv").write_text("4\n")
    answer(project, capsys, "record", "train")
    assert answer(project, capsys, "diff", "train")["unchanged"] == 2
    assert len(answer(project, capsys, "diff", "train", first[7:15])["changed"]) == 1
    assert freeze(project, "diff", "train", "ffffffff") == EXIT_USER
    assert "no single recorded state" in capsys.readouterr().err


def test_records_need_no_store(project, capsys, tmp_path, monkeypatch) -> None:
    freeze(project, "record")
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "another"))
    (project / "data/train/y.csv").unlink()
    capsys.readouterr()
    assert [one["path"] for one in answer(project, capsys, "diff", "train")["removed"]] == ["y.csv"]


def test_data_other_than_pinned_are_a_negative_verdict(project, capsys) -> None:
    digest = answer(project, capsys, "status", "train")["data"][0]["digest"]
    pinned = SPEC.replace("train: data/train", f"train: {{path: data/train, expect: '{digest}'}}")
    (project / "freeze.yaml").write_text(pinned)
    assert freeze(project, "status") == EXIT_OK
    assert freeze(project, "record") == EXIT_OK
    (project / "data/train/y.csv").write_text("5\n")
    assert freeze(project, "status", "train") == EXIT_NEGATIVE
    assert freeze(project, "verify", "train") == EXIT_NEGATIVE
    capsys.readouterr()
    assert freeze(project, "record") == EXIT_USER
    error = capsys.readouterr().err
    assert "freeze.yaml:5 (data.train)" in error
    assert digest in error


def test_verify_finds_bytes_that_changed_behind_the_times(project, capsys, monkeypatch) -> None:
    from freezer.data import cache, worker

    monkeypatch.setattr(cache, "SLACK", -(10**12))
    assert freeze(project, "verify") == EXIT_OK
    real = worker.hash_open
    monkeypatch.setattr(
        worker, "hash_open", lambda handle, size: "0" * 64 if size == 3 else real(handle, size)
    )
    assert freeze(project, "status") == EXIT_OK, "nothing says that a file changed"
    capsys.readouterr()
    assert freeze(project, "verify", "train") == EXIT_NEGATIVE
    assert "y.csv has other bytes than before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["status", "nope"], "there is no data set 'nope'"),
        (["diff", "train"], "nothing to compare with"),
        (["diff", "nope"], "one of: all, train"),
    ],
)
def test_what_is_not_there_is_named(project, capsys, arguments, says) -> None:
    assert freeze(project, *arguments) == EXIT_USER
    assert says in capsys.readouterr().err


def test_a_spec_without_data_says_how_to_name_some(project, capsys) -> None:
    (project / "freeze.yaml").write_text(SPEC.partition("data:")[0])
    assert freeze(project, "status") == EXIT_USER
    assert "data: {train: data/train}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("data: 3", "data"),
        ("data: {train: }", "data.train"),
        ("data: {train: {path: a, expct: b}}", "data.train.expct"),
        ("data: {train: {path: a, expect: 12}}", "data.train.expect"),
        ("data: {Train: a}", "data.Train"),
    ],
)
def test_faults_are_named_with_their_key(project, capsys, line, key) -> None:
    (project / "freeze.yaml").write_text(SPEC.partition("data:")[0] + line + "\n")
    assert freeze(project, "status") == EXIT_USER
    assert f"freeze.yaml:4 ({key})" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"format": 2}', '{"format": 1, "name": 2}'])
def test_a_spoiled_record_is_named_with_its_line(project, capsys, text) -> None:
    freeze(project, "record")
    path = project / ".freezer/data/demo.jsonl"
    path.write_text(path.read_text() + text + "\n")
    capsys.readouterr()
    assert freeze(project, "status") == EXIT_USER
    assert ".freezer/data/demo.jsonl:3" in capsys.readouterr().err


def test_a_link_to_a_file_or_folder_is_what_it_leads_to(project, capsys) -> None:
    (project / "link.csv").symlink_to("data/train/y.csv")
    (project / "link").symlink_to("data/train")
    spec = project / "freeze.yaml"
    spec.write_text(spec.read_text() + "  one: link.csv\n  two: link\n")
    found = answer(project, capsys, "status", "one", "two", "train")["data"]
    assert found[0]["members"] == 1
    assert found[1]["digest"] == found[2]["digest"]


def test_a_set_is_taken_once_however_often_it_is_named(project, capsys) -> None:
    assert len(answer(project, capsys, "status", "train", "train")["data"]) == 1


@pytest.mark.parametrize("path", [".", "..", "'**/*.csv'", "'.*/**'"])
def test_a_set_that_holds_freezer_s_own_records_is_refused(project, capsys, path) -> None:
    spec = project / "freeze.yaml"
    spec.write_text(spec.read_text() + f"  whole: {path}\n")
    assert freeze(project, "status", "whole") == EXIT_USER
    assert "own .freezer folder" in capsys.readouterr().err


@pytest.mark.process
def test_records_written_at_once_are_all_kept(project) -> None:
    spec = project / "freeze.yaml"
    sets = [f"set{number}" for number in range(6)]
    spec.write_text(spec.read_text() + "".join(f"  {one}: data/train\n" for one in sets))
    command = [sys.executable, "-m", "freezer", "-C", str(project), "data", "record"]
    running = [subprocess.Popen([*command, one], stdout=subprocess.DEVNULL) for one in sets]
    assert [one.wait() for one in running] == [0] * 6
    lines = (project / ".freezer" / "data" / "demo.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["name"] for line in lines) == sets


def test_what_the_spec_declares_is_read_again_when_the_spec_changes(project, capsys) -> None:
    assert [one["name"] for one in answer(project, capsys, "status")["data"]] == ["all", "train"]
    assert [one["name"] for one in answer(project, capsys, "status")["data"]] == ["all", "train"]
    spec = project / "freeze.yaml"
    spec.write_text(
        SPEC.replace(
            "  train: data/train\n", f"  train:\n    path: data/train\n    expect: {'ab' * 32}\n"
        )
    )
    assert freeze(project, "status") == EXIT_NEGATIVE
    assert "not what the spec pins" in capsys.readouterr().out
    spec.write_text(SPEC.replace("train:", "train: ["))
    assert freeze(project, "status") == EXIT_USER
    assert "freeze.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b'{"format": 1}',
        b'{"format": 1, "environment": "demo", "spec": "freeze.yaml", "line": 4, "sets": {"x": 3}}',
        b'{"format": 1, "environment": 7, "spec": "freeze.yaml", "line": 4, "sets": {}}',
    ],
)
def test_a_spoiled_note_of_what_the_spec_declares_counts_as_none(
    project, capsys, tmp_path: Path, data: bytes
) -> None:
    answer(project, capsys, "status")
    notes = [one for one in (tmp_path / "store/memos/data-declared").rglob("*") if one.is_file()]
    assert len(notes) == 1
    notes[0].write_bytes(data)
    assert [one["name"] for one in answer(project, capsys, "status")["data"]] == ["all", "train"]


@pytest.mark.process
def test_an_untouched_set_needs_neither_pydantic_nor_a_parser_of_yaml(project) -> None:
    code = (
        "import sys; from freezer.cli.main import run; run(['data', 'status']); "
        "print(sorted(set(sys.modules) & {'pydantic', 'yaml', 'zstandard'}))"
    )
    for path in (project / "data").rglob("*"):
        os.utime(path, (1, 1))
    for expected in ("pydantic", "[]"):
        time.sleep(2.1)  # files younger than the clock is coarse are read again
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
        assert expected in done.stdout.splitlines()[-1]
