"""What ``--json`` prints: one document, one spelling of keys, also for errors."""

from __future__ import annotations

import ast
import io
import json
import math
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import freezer
from freezer.cli.commands import FOLDERS
from freezer.cli.main import run
from freezer.model.lock import BasePackage
from freezer.output.text import document
from tests.support.architecture import nodes
from tests.support.project.documented import ROOT, SHIPPED, Documented, documented

SNAKE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "lock": ((), ("--check",)),
    "fetch": ((),),
    "build": ((),),
    "check": ((), ("--against", "2"), ("--all",), ("--generation", "2")),
    "diff": (("2", "3"),),
    "log": ((), ("--verify",)),
    "why": (("numpy",),),
    "images": ((), ("--prune", "--dry-run")),
    "doctor": ((),),
    "atlas": ((), ("numpy",)),
    "schema": ((),),
    # What changes the project comes last.
    "update": (("numpy", "--dry-run"), ("numpy",)),
    "rollback": (("--dry-run", "--to", "2"), ("--to", "2")),
    "init": (("--force", "--bootstrap", "bookworm"),),
}
"""Commands with ``--json``, as they are run here; the others need more than a fake engine."""
ELSEWHERE = {
    "run",
    "shell",
    "export",
    "audit",
    "sbom",
    "sign",
    "verify",
    "evidence",
    "retro",
    "bisect",
    "bundle",
    "image",
    "inventory",
    "push",
    "pull",
    "data",
}
DATA = {"environment", "settings", "timings", "alone", "exceptions", "properties", "$defs"}
"""Keys of mappings whose own keys are data: variables, packages, parts of a training."""


def keys(value: Any, place: str = "") -> Iterator[str]:
    """Yield the path of each key in a document that Freezer chose."""
    if isinstance(value, dict):
        for key, item in value.items():
            if place.rpartition("/")[2] not in DATA:
                yield f"{place}/{key}"
            yield from keys(item, f"{place}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from keys(item, place)


def freeze(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documented]:
    """Return a project with a past; the commands are run one after the other."""
    folder = tmp_path_factory.mktemp("documents")
    with pytest.MonkeyPatch.context() as patch, documented(folder, patch) as made:
        with freezer.open_project() as opened:
            made.past(opened)
        yield made


@pytest.mark.process
@pytest.mark.parametrize(
    ("command", "more"), [(name, one) for name, several in COMMANDS.items() for one in several]
)
def test_one_document_in_one_spelling(
    project: Documented, command: str, more: tuple[str, ...]
) -> None:
    option = () if command == "schema" else ("--json",)
    code, out, err = freeze(command, *more, *option)
    read = json.loads(out)
    assert "error" not in read, out
    assert code in (0, 1), err
    assert [path for path in keys(read) if SNAKE.fullmatch(path.rpartition("/")[2])] == []


def test_every_command_is_tried_here_or_elsewhere() -> None:
    assert set(FOLDERS) == set(COMMANDS) | ELSEWHERE - {"data"}


def literals(path: Path) -> Iterator[ast.Constant]:
    for node in nodes(path):
        if isinstance(node, ast.Dict):
            yield from (key for key in node.keys if isinstance(key, ast.Constant))


@pytest.mark.parametrize("room", ["cli", "output"])
def test_no_output_spells_a_key_in_another_way(room: str) -> None:
    wrong = []
    for path in sorted((ROOT / "freezer" / room).rglob("*.py")):
        if path.name in ("fold.py", "report.py"):  # options of a call; values for a template
            continue
        wrong += [
            f"{path.name}: {k.value}" for k in literals(path) if SNAKE.fullmatch(str(k.value))
        ]
        called = {ast.unparse(n.func) for n in nodes(path) if isinstance(n, ast.Call)}
        wrong += [f"{path.name}: {name}" for name in called & {"asdict", "vars"}]
    assert wrong == ["commands.py: help_option_names", "main.py: help_option_names"] * (
        room == "cli"
    )


@dataclass(frozen=True)
class Facts:
    lock_id: str
    class_: str


class Pair(NamedTuple):
    first_one: int
    second: Path


def test_objects_are_spelt_alike() -> None:
    package = BasePackage(name="a", version="1", architecture="amd64")
    read = json.loads(
        document({"a_b": Facts("1", "c"), "rows": (Pair(1, Path("x")),), "of": [package]})
    )
    assert read == {
        "a_b": {"lock-id": "1", "class": "c"},
        "rows": [{"first-one": 1, "second": "x"}],
        "of": [{"name": "a", "version": "1", "architecture": "amd64"}],
    }


def test_what_json_has_not() -> None:
    assert json.loads(document([math.nan, -math.inf, "a\udce9"])) == ["nan", "-inf", "a\\udce9"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lokc", "--json"], "Did you mean 'lock'?"),
        (["lock", "--chek", "--json"], "--check"),
        (["--json", "lock"], "No such option"),
        (["check", "--json", "--against"], "requires"),
        (["lock", "--check", "--upgrade", "--json"], "nothing to --upgrade"),
        (["audit", "--budget", "much", "--json"], "budget"),
        (["why", "--json"], "PACKAGE"),
    ],
)
def test_a_usage_error_is_a_document_too(arguments: list[str], said: str) -> None:
    code, out, err = freeze(*arguments)
    read = json.loads(out)
    assert (code, read["error"]) == (2, "usage")
    assert said in read["message"]
    assert said in err


def test_after_two_dashes_it_is_no_option() -> None:
    assert freeze("lock", "--chek", "--", "--json")[:2] == (2, "")


def test_help_shows_no_types_of_flags() -> None:
    for arguments in ([], ["lock"], ["images"], ["data"], ["data", "status"]):
        out = freeze(*arguments, "--help")[1]
        assert "Usage" in out
        assert "<bool>" not in out
        assert "<str>" not in out


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="the command is for Linux")
def test_the_project_is_named_with_v(project: Documented, monkeypatch: pytest.MonkeyPatch) -> None:
    below = project.folder / "src"
    below.mkdir(exist_ok=True)
    monkeypatch.chdir(below)
    assert SHIPPED in freeze("log", "--json")[1]
    assert f"Project: {project.folder}" in freeze("-v", "log")[2]
    assert "there is no spec here" in freeze("-C", str(below), "log")[2]
