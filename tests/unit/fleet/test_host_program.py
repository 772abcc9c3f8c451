"""The program that hosts run: one file, Python alone, a result file whatever happens."""

from __future__ import annotations

import ast
import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from freezer.fleet.folder import task_document
from freezer.fleet.program import host_program
from freezer.fleet.request import Attempt
from freezer.fleet.result import HostResult, read_result
from freezer.inside.freezer_host.facts import gpu_facts
from freezer.inside.freezer_host.training import Lines
from tests.support.cluster.fleets import FLEET, attempt, environment, make_fleet, request

RUNTIME = """#!/bin/sh
case "$1" in
version) echo 28.5.2 ;;
image) echo sha256:{digest} ;;
run) {run} ;;
esac
"""


def run_host(tmp_path: Path, runtime: str | None, **variables: str) -> tuple[Any, int]:
    """Run the program as a job does, with one runtime on PATH; return its result and exit status."""
    tried: Attempt = attempt()
    folder = make_fleet(tmp_path, request(), tried)
    folder.program.write_bytes(host_program())
    programs = tmp_path / "programs"
    programs.mkdir()
    if runtime is not None:
        (programs / "docker").write_text(runtime)
        (programs / "docker").chmod(0o755)
    command = [
        variables.pop("PYTHON", sys.executable),
        "-I",
        str(folder.program),
        str(folder.task(1)),
        "n1",
    ]
    path = {"PATH": f"{programs}:/usr/bin:/bin" if runtime else str(programs)}
    done = subprocess.run(command, env={**path, **variables}, capture_output=True, check=False)
    found = read_result(folder.result(1, "n1", "demo"), FLEET, tried, "n1", environment())
    assert isinstance(found, HostResult), done.stderr
    return found, done.returncode


def oldest_python() -> str | None:
    """Return a Python 3.8 of this machine, where there is one."""
    named = [
        shutil.which("python3.8"),
        *map(str, Path.home().glob(".pyenv/versions/3.8*/bin/python")),
    ]
    for one in filter(None, named):
        if subprocess.run([one, "-c", "pass"], capture_output=True, check=False).returncode == 0:
            return one
    return None


def test_equal_sources_give_equal_bytes_and_nothing_else_of_freezer() -> None:
    data = host_program()
    assert data == host_program()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert {name.partition("/")[0] for name in names} == {"__main__.py", "freezer_host"}
        for name in names:
            tree = ast.parse(archive.read(name), feature_version=(3, 8))
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    assert all(one.name in sys.stdlib_module_names for one in node.names)
                elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    top = node.module.partition(".")[0]
                    assert top in {*sys.stdlib_module_names, "freezer_host"}


@pytest.mark.process
def test_a_host_without_a_runtime_says_so(tmp_path: Path) -> None:
    found, status = run_host(tmp_path, None)
    assert status == 0  # the result file is there: no verdict is ever taken from this
    assert (found.outcome, found.reason) == ("no-runtime", "docker: not installed")
    assert found.facts["kernel"]


@pytest.mark.process
def test_it_runs_on_the_oldest_python(tmp_path: Path) -> None:
    python = oldest_python()
    if python is None:
        pytest.skip("there is no Python 3.8")
    run = 'echo \'::freezer:: {"kind": "host"}\''
    found, status = run_host(tmp_path, RUNTIME.format(digest="2" * 64, run=run), PYTHON=python)
    assert (status, found.outcome, len(found.lines)) == (0, "ran", 1)


@pytest.mark.process
@pytest.mark.parametrize(
    ("run", "outcome", "said"),
    [
        ("echo 'OCI runtime create failed' >&2; exit 125", "no-runtime", "create failed"),
        ("echo 'write /var: no space left on device' >&2; exit 125", "no-space", "no space left"),
        ("exit 1", "ran", ""),
    ],
)
def test_a_container_that_does_not_start_is_told_from_one_that_fails(
    tmp_path: Path, run: str, outcome: str, said: str
) -> None:
    found, _ = run_host(tmp_path, RUNTIME.format(digest="2" * 64, run=run))
    assert found.outcome == outcome
    assert said in found.reason


@pytest.mark.process
def test_an_image_of_another_digest_is_not_run(tmp_path: Path) -> None:
    found, _ = run_host(tmp_path, RUNTIME.format(digest="9" * 64, run="echo '::freezer:: {}'"))
    assert (found.outcome, found.lines) == ("no-image", ())
    assert "another image" in found.reason


@pytest.mark.process
def test_lines_of_the_record_are_kept_and_others_are_not(tmp_path: Path) -> None:
    run = "printf 'noise\\n::freezer:: {\"a\": 1}\\n'; exit 3"
    found, _ = run_host(tmp_path, RUNTIME.format(digest="2" * 64, run=run))
    assert (found.outcome, found.exit, found.lines) == ("ran", 3, ('::freezer:: {"a": 1}',))
    assert found.runtime == "docker 28.5.2"


@pytest.mark.process
def test_a_job_on_another_node_runs_nothing(tmp_path: Path) -> None:
    runtime = RUNTIME.format(digest="2" * 64, run="echo '::freezer:: {}'")
    found, _ = run_host(tmp_path, runtime, SLURMD_NODENAME="n2")
    assert (found.outcome, found.node, found.lines) == ("wrong-host", "n2", ())


@pytest.mark.process
def test_a_requeued_job_runs_nothing_again(tmp_path: Path) -> None:
    counter = tmp_path / "count"
    run = f"echo again >> {counter}; echo '::freezer:: {{}}'"
    run_host(tmp_path, RUNTIME.format(digest="2" * 64, run=run))
    folder = tmp_path / FLEET
    command = [sys.executable, "-I", str(folder / "host.pyz"), str(folder / "tasks/1.json"), "n1"]
    path = f"{tmp_path / 'programs'}:/usr/bin:/bin"
    subprocess.run(command, env={"PATH": path, "SLURM_RESTART_COUNT": "1"}, check=True)
    assert counter.read_text().split() == ["again"]
    assert json.loads((folder / "results/1/n1/demo.json").read_bytes())["restarts"] == 0


def test_a_record_that_is_too_large_says_so() -> None:
    lines = Lines()
    for _ in range(200_001):
        lines.add(b"::freezer:: {}\n")
    assert len(lines.lines) == 200_000
    assert "too-large" in lines.text()[-1]
    split = Lines()
    for byte in b"x\n::freezer:: 1\r\n::freezer:: half":
        split.add(bytes([byte]))
    assert split.text() == ["::freezer:: 1"]


def test_gpus_are_read_from_what_nvidia_smi_prints() -> None:
    row = "550.54, A100, 92.0, Enabled, 1410 MHz, 1215 MHz, 1410 MHz, Disabled, Enabled, 400.00 W"
    other = row.replace("Enabled, 1410", "Disabled, 1410", 1)
    found = gpu_facts([row, row, other, "an error"])
    assert found["gpu driver_version"] == "550.54"
    assert found["gpu ecc.mode.current"] == "Enabled; Disabled"
    assert gpu_facts(["No devices were found"]) == {}


def test_a_task_is_what_the_program_reads(tmp_path: Path) -> None:
    folder = make_fleet(tmp_path, request(), attempt())
    stored = json.loads(folder.task(1).read_bytes())
    assert stored == task_document(folder, request(), attempt())
