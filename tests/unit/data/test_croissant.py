"""`freeze data export --croissant`: what it describes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.cli.main import run
from freezer.data.croissant import About, croissant_bytes, media_type
from freezer.data.entry import Member

SPEC = """name: demo
base: {bootstrap: bookworm}
python: "3.11"
data:
  train: data/train
  one: data/train/y.csv
  empty: data/none
  pinned: {path: data/train, expect: %s}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "store"))
    folder = tmp_path / "project"
    (folder / "data/train/a").mkdir(parents=True)
    (folder / "data/none/a").mkdir(parents=True)
    (folder / "data/train/a/x.csv").write_text("1\n")
    (folder / "data/train/y.csv").write_text("22\n")
    (folder / "freeze.yaml").write_text(SPEC % ("ab" * 32))
    return folder


def export(project: Path, name: str, *more: str) -> int:
    return run(["-C", str(project), "data", "export", name, *more])


def test_each_file_has_its_path_size_and_digest(project: Path) -> None:
    file = project / "train.json"
    assert export(project, "train", "--croissant", "-o", str(file)) == 0
    first = file.read_bytes()
    document = json.loads(first)
    assert document["conformsTo"].endswith("/croissant/1.0")
    assert document["identifier"].startswith("sha256:")
    assert [
        (one["name"], one["contentUrl"], one["contentSize"], one["encodingFormat"])
        for one in document["distribution"]
    ] == [
        ("a/x.csv", "data/train/a/x.csv", "2 B", "text/csv"),
        ("y.csv", "data/train/y.csv", "3 B", "text/csv"),
    ]
    assert export(project, "train", "--croissant", "-o", str(file)) == 0
    assert file.read_bytes() == first, "the same data, the same bytes"


def test_stdout_names_files_relative_to_the_set(project: Path, capsys) -> None:
    assert export(project, "one", "--croissant") == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["contentUrl"] for one in document["distribution"]] == ["y.csv"]
    assert export(project, "train", "--croissant", "--json", "--url", "https://example.org/t/") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["files"], found["file"]) == (2, None)
    inner = json.loads(found["text"])
    assert inner["distribution"][0]["contentUrl"] == "https://example.org/t/a/x.csv"


def test_links_and_empty_folders_are_counted(project: Path, capsys) -> None:
    (project / "data/train/link").symlink_to("y.csv")
    (project / "data/train/nothing").mkdir()
    assert export(project, "train", "--croissant", "-o", str(project / "o.json")) == 0
    assert "2 links or empty folders" in capsys.readouterr().err
    assert len(json.loads((project / "o.json").read_text())["distribution"]) == 2


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("train",), "choose a format: --croissant"),
        (("none", "--croissant"), "there is no data set 'none'"),
        (("empty", "--croissant"), "has no files to describe"),
        (("pinned", "--croissant"), "is not the one that the spec pins"),
        (("train", "--croissant", "--published", "soon"), "no date"),
        (("train", "--croissant", "-o", "no/such/folder.json"), "there is no folder"),
    ],
)
def test_what_cannot_be_described(project: Path, capsys, words, part: str) -> None:
    assert export(project, *words) == 2
    assert part in " ".join(capsys.readouterr().err.split())


paths = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(st.lists(st.builds(Member, paths, st.just("f"), st.integers(0, 2**60), st.just("ab" * 32)),
                unique_by=lambda one: one.path))  # fmt: skip
def test_any_path_is_kept_and_has_an_identifier_of_its_own(members: list[Member]) -> None:
    document = json.loads(croissant_bytes("x", "sha256:", members, About()))
    found = document["distribution"]
    assert [one["name"] for one in found] == [one.path for one in members]
    assert len({one["@id"] for one in found}) == len(members)
    assert all(one["@id"].isascii() and " " not in one["@id"] for one in found)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a.CSV", "text/csv"), ("b/x.tar.gz", "application/gzip"), ("README", "application/octet-stream"),
     (".csv", "application/octet-stream"), ("x.pt", "application/octet-stream")],
)  # fmt: skip
def test_media_types_do_not_depend_on_the_host(path: str, kind: str) -> None:
    assert media_type(path) == kind
