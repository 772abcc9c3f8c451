"""References are written whole, read back exactly, and never believed after an edit."""

import json

import pytest
from records import record

from freezer.check.reference import read_reference, reference_path, references, write_reference
from freezer.errors import CheckError


def test_a_reference_comes_back_as_it_was(tmp_path):
    path = write_reference(tmp_path, record())
    assert path == reference_path(tmp_path, "x86-64-v4-skylakex")
    assert read_reference(path, "r") == record()
    assert references(tmp_path) == ["x86-64-v4-skylakex"]


def test_equal_records_are_equal_bytes(tmp_path):
    first = write_reference(tmp_path, record()).read_bytes()
    assert write_reference(tmp_path, record()).read_bytes() == first


def test_no_reference_is_none(tmp_path):
    assert read_reference(tmp_path / "none.json", "none.json") is None


def test_an_edit_is_noticed(tmp_path):
    path = write_reference(tmp_path, record())
    document = json.loads(path.read_text())
    document["trainings"][0]["observations"][4]["value"] = "0x1.8000000000001p-1"
    path.write_text(json.dumps(document))
    with pytest.raises(CheckError, match="changed by something other"):
        read_reference(path, "r.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"integrity": "sha256:0"}', "\x00"])
def test_what_is_no_reference_is_said_so(tmp_path, text):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(CheckError, match="restore it from version control"):
        read_reference(path, "r.json")
