"""`freeze shell`: the container of a run by hand; and the file for editors."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from freezer.cli.main import run as freeze
from freezer.errors import HostError, LockError, RunError, SpecError
from freezer.flows.runs.interactive.shell import SHELL, shell
from freezer.flows.runs.queries import find
from freezer.flows.setup.devcontainer import FILE, PLACES, write_devcontainer
from tests.support.project.documented import SHIPPED

pytestmark = pytest.mark.process

TEXTS = {"type": "array", "items": {"type": "string"}}
SCHEMA = {
    "type": "object",
    "required": ["image", "workspaceMount", "workspaceFolder"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "image": {"type": "string"},
        "initializeCommand": TEXTS,
        "workspaceMount": {"type": "string"},
        "workspaceFolder": {"type": "string"},
        "mounts": TEXTS,
        "containerEnv": {"type": "object", "additionalProperties": {"type": "string"}},
        "postCreateCommand": TEXTS,
        "remoteUser": {"type": "string"},
        "updateRemoteUserUID": {"type": "boolean"},
        "runArgs": TEXTS,
    },
}
"""Of https://containers.dev/implementors/json_reference: the properties that are written."""


def test_the_code_is_writable_and_nothing_is_recorded(runnable) -> None:
    project, before = runnable.project, find(runnable.project, None).total
    assert shell(project, SHIPPED, (), port=None, terminal=True) == 0
    seen = runnable.made.held.runs[-1]
    writable = {one.target for one in seen.mounts if not one.read_only}
    assert writable == {"/code", "/output"}
    [records] = [one for one in seen.mounts if one.target == "/code/.freezer"]
    assert (records.source, records.read_only) == (str(project.root / ".freezer"), True)
    assert (seen.tty, seen.stdin, seen.ports, seen.network) == (True, True, (), "none")
    assert seen.environment["FREEZER_SEED"] == "1234"
    assert find(project, None).total == before
    assert SHELL[0] == "/bin/sh"


def test_with_a_rootless_engine_root_of_the_container_is_the_caller(runnable, monkeypatch) -> None:
    held = runnable.made.held
    shell(runnable.project, SHIPPED, (), port=None, terminal=False)
    assert held.runs[-1].user == f"{os.getuid()}:{os.getgid()}"
    monkeypatch.setattr(held, "info", replace(held.info, rootless=True))
    runnable.train(lambda _inside: 0)
    runnable.run()
    assert held.runs[-1].user == "0:0"
    shell(runnable.project, SHIPPED, (), port=None, terminal=False)
    assert held.runs[-1].user == "0:0"


def test_a_published_port_enables_the_network(runnable) -> None:
    shell(runnable.project, SHIPPED, ("jupyter",), port=8888, terminal=False)
    seen = runnable.made.held.runs[-1]
    assert (seen.ports, seen.network, seen.tty) == ((8888,), "bridge", False)
    for port in (0, 65536, -1):
        with pytest.raises(RunError, match="not a port"):
            shell(runnable.project, SHIPPED, (), port=port, terminal=False)


def test_the_command_says_that_nothing_is_recorded(runnable, capsys) -> None:
    assert freeze(["-C", str(runnable.project.root), "shell", "--", "true"]) == 0
    shown = capsys.readouterr().err
    assert "Not recorded" in shown.splitlines()[0]
    assert "nothing of it was recorded" in shown.splitlines()[-1]


@pytest.fixture
def folder(runnable):
    """Give the project's folder as it was, afterwards."""
    path = runnable.project.root
    spec = path / "images" / SHIPPED / "freeze.yaml"
    before = spec.read_text()
    yield path
    spec.write_text(before)
    for place in PLACES:
        (path / place).unlink(missing_ok=True)


def test_the_devcontainer_file_is_valid(runnable, folder: Path, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    (folder / "points").mkdir(exist_ok=True)
    runnable.made.spec(
        data={"near": "points", "far": str(tmp_path)}, resources={"gpus": True, "threads": 3}
    )
    path = write_devcontainer(runnable.project, None)
    document = json.loads(path.read_bytes())
    jsonschema.validate(document, SCHEMA)
    assert path == folder / FILE
    assert document["image"] == f"{SHIPPED}:latest"
    assert document["mounts"] == [
        f"source={tmp_path},target=/data/far,type=bind,readonly",
        "source=${localWorkspaceFolder}/points,target=/data/near,type=bind,readonly",
    ]
    assert document["containerEnv"]["OMP_NUM_THREADS"] == "3"
    assert document["runArgs"] == ["--gpus", "all"]


@pytest.mark.parametrize("place", PLACES)
def test_an_existing_file_is_never_replaced(runnable, folder: Path, place: str, capsys) -> None:
    (folder / ".devcontainer").mkdir(exist_ok=True)
    (folder / place).write_text("mine")
    with pytest.raises(HostError, match="is there already"):
        write_devcontainer(runnable.project, SHIPPED)
    assert freeze(["-C", str(folder), "init", "--devcontainer", "--force"]) == 2
    assert (folder / place).read_text() == "mine"


def test_what_cannot_be_mounted_or_is_not_locked(runnable, folder: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a,b"
    odd.mkdir()
    runnable.made.spec(data={"odd": str(odd)})
    with pytest.raises(SpecError, match="cannot stand in a mount"):
        write_devcontainer(runnable.project, SHIPPED)
    other = folder / "images" / "other"
    other.mkdir()
    (other / "freeze.yaml").write_text(
        yaml.safe_dump({"name": "other", "base": "debian:12", "python": "3.11"})
    )
    with pytest.raises(LockError):
        write_devcontainer(runnable.project, "other")
    (other / "freeze.yaml").unlink()
    other.rmdir()
    assert not (folder / FILE).exists()
