"""References are written whole, read back exactly, and never believed after an edit."""

import io
import json
import os
import socket

import pytest

from freezer.check.reference import (
    References,
    read_reference,
    reference_path,
    references,
    stored_references,
    write_reference,
)
from freezer.errors import CheckError
from freezer.inside.freezer_inside.record import Recorder
from freezer.model.canonical import digest, json_bytes
from tests.support.project.records import Floats, record


def test_a_reference_comes_back_as_it_was(tmp_path):
    path = write_reference(tmp_path, record())
    assert path == reference_path(tmp_path, "x86-64-v4-skylakex")
    assert read_reference(path, "r") == record()
    assert references(tmp_path) == ["x86-64-v4-skylakex"]


HOSTS = [
    pytest.param({"blas-kernels": []}, id="no BLAS"),
    pytest.param({"settings": {}}, id="no settings"),
    pytest.param({"flags": []}, id="no flags"),
]


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_empty_comes_back_too(tmp_path, host):
    made = record(**host)
    assert read_reference(write_reference(tmp_path, made), "r") == made


@pytest.mark.parametrize(("shape", "values"), [((), (1.0,)), ((0,), ()), ((0, 3), ())])
def test_tensors_of_any_shape_come_back(tmp_path, shape, values):
    array = Floats(*values)
    array.shape = shape
    stream = io.StringIO()
    recorder = Recorder("own", stream)
    recorder.tensor("t", array)
    recorder.end()
    made = record([line for line in stream.getvalue().encode().splitlines() if line])
    assert read_reference(write_reference(tmp_path, made), "r") == made


def test_an_observation_is_one_line(tmp_path):
    made = record()
    text = write_reference(tmp_path, made).read_text()
    told = [line for line in text.splitlines() if '"kind"' in line]
    assert len(told) == len(made.trainings[0].observations)


def test_a_tensor_without_a_sample_and_a_timing_come_back_too(tmp_path):
    stream = io.StringIO()
    recorder = Recorder("own", stream)
    recorder.tensor("t", Floats(1.0), sampled=False)
    recorder.timing("training", 1.5)
    recorder.end()
    made = record([line for line in stream.getvalue().encode().splitlines() if line])
    assert [one.seconds for one in made.trainings[0].timings] == [1.5]
    assert read_reference(write_reference(tmp_path, made), "r") == made


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


def test_a_folder_in_its_place_is_no_traceback(tmp_path):
    with pytest.raises(CheckError, match="cannot be read"):
        read_reference(tmp_path, "r.json")


def test_a_reference_nested_without_end_is_no_traceback(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("[" * 100_000)
    with pytest.raises(CheckError, match="restore it from version control"):
        read_reference(path, "r.json")


def test_a_whole_reference_of_another_form_is_not_blamed_on_an_edit(tmp_path):
    path = write_reference(tmp_path, record())
    document = json.loads(path.read_text())
    del document["integrity"]
    document["schema"] = "freezer/record/2"
    document["integrity"] = f"sha256:{digest(json_bytes(document))}"
    path.write_text(json.dumps(document))
    with pytest.raises(CheckError, match="written by another version of Freezer"):
        read_reference(path, "r.json")


def test_the_names_of_people_and_machines_are_not_in_it(tmp_path):
    text = write_reference(tmp_path, record()).read_text()
    assert socket.gethostname() not in text
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": NaN}',
        b'{"a": Infinity, "integrity": "sha256:0"}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1}',
        b"[NaN]",
        b"NaN",
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_json_that_freezer_never_writes_is_named_as_changed(tmp_path, content):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(CheckError, match="changed by something other than"):
        read_reference(path, "r.json")


def test_a_pipe_in_the_place_of_a_reference_is_not_waited_for(tmp_path):
    path = tmp_path / "r.json"
    os.mkfifo(path)
    with pytest.raises(CheckError, match="cannot be read"):
        read_reference(path, "r.json")


def test_references_of_other_classes_go_by_the_name_of_their_class(tmp_path):
    other = record(**{"class": "armv8-neoverse"})
    named = reference_path(tmp_path, "armv8-neoverse")
    write_reference(tmp_path, other)
    found = stored_references(tmp_path, record(), "r.json", anew=False)
    assert found == References(others=(("numerics class armv8-neoverse", other),))
    named.rename(named.with_stem("[red]"))
    assert stored_references(tmp_path, record(), "r.json", anew=False) == References()


def test_a_reference_is_of_this_lock_or_of_an_earlier_one(tmp_path):
    earlier = record().model_copy(update={"lock_id": "9" * 64})
    write_reference(tmp_path, record())
    assert stored_references(tmp_path, record(), "r.json", anew=False) == References(own=record())
    assert stored_references(tmp_path, record(), "r.json", anew=True) == References()
    write_reference(tmp_path, earlier)
    assert stored_references(tmp_path, record(), "r", anew=False) == References(earlier=earlier)
