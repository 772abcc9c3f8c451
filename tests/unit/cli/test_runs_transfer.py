"""`freeze runs query`, `export` and `import`, as they are typed."""

from __future__ import annotations

import csv
import io
import json
import math
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from freezer.cli.main import run as freeze
from freezer.ledger.connect import open_ledger
from freezer.ledger.query import all_points
from freezer.ledger.record import change, record
from freezer.ledger.series import Points
from tests.support.project.runs import RUNS

LOSS = Points.of([(step, step, step / 3) for step in range(5)])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    ledger = open_ledger(folder / ".freezer" / "ledger.db")
    for one in RUNS:
        record(ledger, one, {"metrics.loss": LOSS} if "metrics.loss" in one.fields else {})
    ledger.close()
    return folder


def called(folder: Path, *words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = freeze(["-C", str(folder), "runs", *words])
    return code, out.getvalue(), err.getvalue()


def test_columns_sort_and_limit(project: Path) -> None:
    words = ("query", "params.lr < 1", "--columns", "id,params.lr", "--sort", "params.lr asc")
    code, out, _ = called(project, *words, "--limit", "2", "--format", "csv")
    assert code == 0
    rows = list(csv.reader(io.StringIO(out)))
    assert rows == [["id", "params.lr"], [f"{2:016x}", "0.001"], [f"{1:016x}", "0.01"]]
    code, out, _ = called(project, *words, "--limit", "2")
    assert [line.split() for line in out.splitlines()] == [
        ["id", "params.lr"],
        [f"{2:016x}", "0.001"],
        [f"{1:016x}", "0.01"],
        ["2", "of", "3", "runs;", "--limit", "shows", "more"],
    ]


def test_what_is_left_out_is_named(project: Path) -> None:
    for form in ("csv", "json"):
        code, out, err = called(project, "query", "env = 'demo'", "--format", form, "--limit", "2")
        assert code == 0
        assert f"2 of {len(RUNS)} runs" in " ".join(err.split())
        assert "--limit" not in out


def test_json_has_typed_values(project: Path) -> None:
    for words in (("--json",), ("--format", "json")):
        code, out, _ = called(
            project, "query", "metrics.loss = nan or flag = false", *words, "--columns",
            "metrics.loss,flag",
        )  # fmt: skip
        assert code == 0
        assert json.loads(out) == {
            "runs": [
                {"metrics.loss": {"double": "7ff0000000000000"}, "flag": False},
                {"metrics.loss": {"double": "7ff8000000000000"}, "flag": True},
            ],
            "total": 2,
        }


def test_a_table_has_what_differs_without_columns(project: Path) -> None:
    code, out, _ = called(project, "query", "env = 'demo'")
    assert code == 0
    assert out.split()[:3] == ["run", "started", "state"]
    assert "params.lr" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("query", "params.lr < 1", "--columns", "id,params.lrr"), "did you mean params.lr"),
        (("query", "id = 'x'", "--columns", "nothing.like.it"), "no run has a field"),
        (("query", "params.lr <"), "ends too early"),
        (("query", "params.lr < 1", "--format", "parquet"), "-o FILE"),
        (("query", "params.lr < 1", "-o", "x.txt"), "json, csv or parquet"),
        (("query", "params.lr < 1", "--sort", "none"), "to sort by"),
        (("export",), "-o FILE"),
        (("export", "-o", "no/such/folder/x"), "no folder"),
        (("export", "--format", "table", "-o", "x"), "json, csv or parquet"),
        (("export", "params.lrr = 1", "-o", "x"), "did you mean"),
        (("import", "no-such-file"), "cannot be read"),
        (("import", "/dev/zero"), "cannot be read"),
        (("import", "."), "cannot be read"),
    ],
)
def test_what_is_asked_wrong_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(project)
    code, out, err = called(project, *words)
    assert code == 2
    assert says in " ".join(err.split())
    assert "Traceback" not in err + out
    assert not (project / "x").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("list", "params.lr < 1"),
        ("query", "params.lr < 1", "--columns", "id,params.lr", "--sort", "metrics.loss"),
        ("query", "params.lr < 1", "--json"),
    ],
)
def test_before_the_first_run_any_field_is_taken_with_a_hint(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    code, out, err = called(tmp_path, *words)
    assert code == 0
    assert "no runs yet; `freeze run ENV -- COMMAND` records one" in " ".join((out + err).split())
    if "--json" in words:
        assert json.loads(out) == {"runs": [], "total": 0}
    assert not (tmp_path / ".freezer").exists()


def test_files_in_each_form(project: Path, tmp_path: Path) -> None:
    code, out, _ = called(
        project, "query", "params.n > 0", "--format", "csv", "-o", str(tmp_path / "r.csv")
    )
    assert (code, out.split()[:2]) == (0, ["3", "runs"])
    found = {
        row["id"]: row for row in csv.DictReader((tmp_path / "r.csv").read_text().splitlines())
    }
    assert found[f"{5:016x}"]["params.n"] == str(2**63 + 1)
    assert float(found[f"{0:016x}"]["metrics.loss"]) == 1.5
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "r.parquet"
    assert called(project, "export", "--format", "parquet", "-o", str(path))[0] == 0
    values = parquet.read_table(path)["metrics.loss"].to_pylist()
    assert len(values) == len(RUNS)
    assert math.inf in values
    assert any(one is not None and math.isnan(one) for one in values)


def test_an_export_is_imported_once(project: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "runs.json", tmp_path / "other"
    other.mkdir()
    code, out, _ = called(project, "export", "-o", str(file), "--json")
    assert (code, json.loads(out)) == (0, {"file": str(file), "runs": len(RUNS)})
    code, out, _ = called(other, "import", str(file))
    assert (code, out) == (0, f"{len(RUNS)} runs recorded\n")
    again = tmp_path / "again.json"
    assert called(other, "export", "-o", str(again))[0] == 0
    assert again.read_bytes() == file.read_bytes()
    code, out, _ = called(other, "import", str(file))
    assert (code, out) == (0, f"0 runs recorded; {len(RUNS)} skipped: already recorded\n")
    ledger = open_ledger(other / ".freezer" / "ledger.db")
    assert all_points(ledger, RUNS[0].id) == {"metrics.loss": LOSS}
    change(ledger, RUNS[0].id, lambda run: run.with_fields({"params.lr": 5}))
    ledger.close()
    code, _, err = called(other, "import", str(file))
    assert code == 2
    assert "with other content" in err


def test_a_part_of_the_runs_is_exported(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "runs.json"
    code, out, _ = called(project, "export", "params.lr < 0.05", "-o", str(file))
    assert (code, out.startswith("2 runs written")) == (0, True)
    assert [one["run"]["id"] for one in json.loads(file.read_bytes())["runs"]] == [
        f"{1:016x}",
        f"{2:016x}",
    ]
    assert json.loads(file.read_bytes())["runs"][0]["series"]["metrics.loss"]["steps"] == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_secrets_in_tags_and_notes_reach_no_record(project: Path, tmp_path: Path) -> None:
    words = ("token=sesame42", "site=https://me:s3cr3t@example.org", "plain=a b=c")
    code, out, err = called(project, "tag", "latest", *words)
    assert code == 0
    assert "plain=a b=c" in out
    assert "the value of tags.token is a secret" in " ".join(err.split())
    code, _, err = called(project, "note", "latest", "used api_key='hunter 2', and pad_token=5")
    assert (code, "recorded as ***" in " ".join(err.split())) == (0, True)
    _, shown, _ = called(project, "show", "latest", "--json")
    assert json.loads(shown)["notes"][-1] == "used api_key=***, and pad_token=5"
    called(project, "export", "-o", str(tmp_path / "all.json"))
    called(project, "export", "--ro-crate", str(tmp_path / "crate"))
    called(project, "page", "-o", str(tmp_path / "page.html"))
    files = [*tmp_path.rglob("*.json*"), tmp_path / "page.html", *tmp_path.rglob("ledger.db*")]
    everything = b"".join(one.read_bytes() for one in files)
    assert b"pad_token=5" in everything
    for secret in (b"sesame42", b"s3cr3t", b"hunter 2"):
        assert secret not in everything


@pytest.mark.parametrize("word", ["=x", "a", "new\nline=1", "n" * 201 + "=1"])
def test_a_tag_that_cannot_be_read_is_refused(project: Path, word: str) -> None:
    code, _, err = called(project, "tag", "latest", word)
    assert code == 2
    assert "up to 200 printable characters" in " ".join(err.split())


def test_a_time_that_cannot_be_read_is_answered_with_its_form(project: Path) -> None:
    code, _, err = called(project, "list", "started > '2026-13-45'")
    assert code == 2
    assert "write a time as '2026-11-30'" in " ".join(err.split())


def test_a_device_as_output_stays_a_device(project: Path) -> None:
    code, _, err = called(project, "query", "env = 'demo'", "--format", "csv", "-o", "/dev/full")
    assert (code, "no space left" in err) == (2, True)
    assert Path("/dev/full").is_char_device()
