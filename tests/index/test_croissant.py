"""`freeze data export --croissant`, read, validated and followed to the files by mlcroissant."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from freezer.cli.main import run

pytestmark = pytest.mark.index
READ = """
import json, sys
import mlcroissant
metadata = mlcroissant.Dataset(sys.argv[1]).metadata
print(json.dumps({
    "errors": sorted(metadata.ctx.issues.errors), "warnings": sorted(metadata.ctx.issues.warnings),
    "name": metadata.name, "license": metadata.license,
    "files": [[one.name, one.content_url, one.sha256, one.encoding_formats] for one in metadata.distribution],
}))
"""
RECORDS = """
import json, sys
import mlcroissant
document = json.load(open(sys.argv[1]))
file = next(one for one in document["distribution"] if one["name"] == "a/x y.csv")
document["recordSet"] = [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": [{
    "@type": "cr:Field", "@id": "rows/n", "name": "n", "dataType": "sc:Integer",
    "source": {"fileObject": {"@id": file["@id"]}, "extract": {"column": "n"}}}]}]
path = sys.argv[1] + ".rows.json"
json.dump(document, open(path, "w"))
print(json.dumps([row["rows/n"] for row in mlcroissant.Dataset(path).records("rows")]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("croissant") / "env"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    subprocess.run([*install, "mlcroissant==1.1.1"], check=True)
    return folder / "bin" / "python"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "store"))
    folder = tmp_path / "project"
    (folder / "train" / "a").mkdir(parents=True)
    (folder / "train" / "a" / "x y.csv").write_text("n\n1\n2\n")
    (folder / "train" / "ümlaut%20#?.png").write_bytes(b"png")
    (folder / "freeze.yaml").write_text(
        'name: demo\nbase: {bootstrap: bookworm}\npython: "3.11"\ndata: {train: train}\n'
    )
    return folder


def export(project: Path, name: str, *more: str) -> Path:
    file = project / name
    words = ["-C", str(project), "data", "export", "train", "--croissant", "-o", str(file), *more]
    assert run(words) == 0
    return file


def read(python: Path, script: str, file: Path) -> dict:
    done = subprocess.run([str(python), "-c", script, str(file)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


ABOUT = ("--license", "CC-BY-4.0", "--creator", "Ada", "--published", "2026-11-30",
         "--description", "Rows.", "--url", "https://data.example.org/train")  # fmt: skip


def test_mlcroissant_takes_it_without_an_error_or_a_warning(python: Path, project: Path) -> None:
    found = read(python, READ, export(project, "described.json", *ABOUT))
    assert (found["errors"], found["name"]) == ([], "train")
    assert [one for one in found["warnings"] if "citeAs" not in one and "version" not in one] == []
    files = {name: (url, sha256, kinds) for name, url, sha256, kinds in found["files"]}
    assert files == {
        path.relative_to(project / "train").as_posix(): (
            f"https://data.example.org/train/{quoted}",
            hashlib.sha256(path.read_bytes()).hexdigest(),
            [kind],
        )
        for path, quoted, kind in (
            (project / "train" / "a" / "x y.csv", "a/x%20y.csv", "text/csv"),
            (project / "train" / "ümlaut%20#?.png", "%C3%BCmlaut%2520%23%3F.png", "image/png"),
        )
    }


def test_mlcroissant_finds_the_files_and_reads_them(python: Path, project: Path) -> None:
    file = export(project, "local.json")
    assert read(python, READ, file)["errors"] == []
    assert read(python, RECORDS, file) == [1, 2]
