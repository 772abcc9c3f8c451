"""The folder of a fleet: whole files, one submitter, clear errors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freezer.errors import BusyError, FleetError
from freezer.fleet.folder import FleetFolder, KnownJob, find_fleet, fleet_folders, task_document
from tests.support.cluster.fleets import FLEET, NONCE, attempt, make_fleet, request


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    asked, tried = request("n1", "n2"), attempt("n1", "n2")
    folder = make_fleet(tmp_path, asked, tried)
    assert folder.request() == asked
    assert folder.attempts() == [tried]
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.keep_jobs({"a": KnownJob("1", "COMPLETED", "n1", "None", 1.5)})
    folder.keep_jobs({"b": KnownJob("2", "FAILED", "n2", "None", 2.5)})
    assert set(folder.known_jobs()) == {"a", "b"}
    for text in ("{", "[]", '{"a": []}', '{"a": {"number": 1}}'):
        (folder.path / "jobs.json").write_text(text)
        assert folder.known_jobs() == {}


def test_attempts_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = make_fleet(tmp_path, request(), attempt())
    for number in range(2, 12):
        folder.write_attempt(attempt(number=number))
    assert [one.number for one in folder.attempts()] == list(range(1, 12))


def test_a_task_names_what_a_host_needs_and_no_more(tmp_path: Path) -> None:
    folder = FleetFolder(tmp_path / FLEET)
    task = task_document(folder, request(), attempt())
    assert task["hosts"] == {"n1": ["demo"]}
    assert task["nonce"] == NONCE
    assert set(task["environments"]["demo"]) == {
        "name", "lock-id", "image", "inside", "manifest", "archive", "pull", "images", "command",
        "trainings", "cpus", "memory", "timeout", "gpus",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": "freezer/fleet/2"}', "[" * 9999])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    folder = make_fleet(tmp_path, request(), attempt())
    (folder.path / "request.json").write_text(text)
    with pytest.raises(FleetError, match=r"request\.json: a file of the fleet is not as Freezer"):
        folder.request()


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="the fleet's folder cannot be read"):
        FleetFolder(tmp_path / FLEET).request()


def test_two_commands_do_not_submit_at_once(tmp_path: Path) -> None:
    folder = make_fleet(tmp_path, request(), attempt())
    with folder.locked():
        folder.keep_jobs({"a": KnownJob("1", "COMPLETED", "n1", "None", 1.5)})
        with pytest.raises(BusyError, match="another command submits"), folder.locked():
            pass
    with folder.locked():
        pass


def test_a_fleet_is_found_by_its_first_characters(tmp_path: Path) -> None:
    assert fleet_folders(tmp_path / "none") == []
    with pytest.raises(FleetError, match="there is no such fleet"):
        find_fleet(tmp_path, None)
    names = ["20261130-120000-0a1b", "20261130-130000-0a1b"]
    for name in [*names, "images"]:
        (tmp_path / name).mkdir()
    assert [one.id for one in fleet_folders(tmp_path)] == names
    assert find_fleet(tmp_path, None).id == names[1]
    assert find_fleet(tmp_path, "20261130-12").id == names[0]
    with pytest.raises(FleetError, match="several fleets begin with 2026"):
        find_fleet(tmp_path, "2026")


def test_a_folder_that_is_gone_has_no_attempts_and_no_results_that_are_missing(
    tmp_path: Path,
) -> None:
    folder = make_fleet(tmp_path, request(), attempt())
    folder.path.rename(tmp_path / "away")
    folder.path.mkdir()  # as the place is where a file system is not mounted
    for read in (folder.attempts, folder.next_attempt, lambda: folder.require_results(1)):
        with pytest.raises(FleetError, match="the fleet's folder cannot be read"):
            read()


def test_an_attempt_gets_a_number_that_none_has(tmp_path: Path) -> None:
    folder = make_fleet(tmp_path, request(), attempt())
    folder.write_attempt(attempt(number=3))
    for name in ("٤.json", "007.json", "x.json", "9.json.part", "5"):
        (folder.path / "attempts" / name).touch()
    assert folder.next_attempt() == 4


@pytest.mark.parametrize("name", ["request.json", "attempts/1.json", "jobs.json", "logs/1-n1.log"])
def test_a_pipe_or_a_link_is_not_waited_for(tmp_path: Path, name: str) -> None:
    folder = make_fleet(tmp_path, request(), attempt())
    for replace in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        (folder.path / name).unlink(missing_ok=True)
        replace(folder.path / name)
        assert folder.known_jobs() == {}
        assert folder.last_words(1, "n1") == ""
        if name == "request.json":
            with pytest.raises(FleetError, match="cannot be read"):
                folder.request()


def test_the_last_words_of_a_job_are_one_line(tmp_path: Path) -> None:
    folder = make_fleet(tmp_path, request(), attempt())
    assert folder.last_words(1, "n1") == ""
    folder.log(1, "n1").write_bytes(b"first\nKeyError: 'n1'\xff\n\n \n")
    assert folder.last_words(1, "n1") == "KeyError: 'n1'\ufffd"
    folder.log(1, "n1").write_bytes(b"x" * 10_000)
    assert len(folder.last_words(1, "n1")) == 500
