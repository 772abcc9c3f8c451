"""What commands load and call at their start does not creep back: within 10 % of what is recorded.

Counts, and no times: they are the same on a busy machine. Where a change is wanted,
``python -m benchmarks.start --record`` writes them anew.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.start.commands import COMMANDS, GUARDED, make_project, surroundings
from benchmarks.start.count import count
from benchmarks.start.run import recorded

SHARE = 0.1


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("start") / "project")


@pytest.mark.process
@pytest.mark.parametrize("name", GUARDED)
def test_no_command_loads_or_calls_more_than_is_recorded(
    name: str, project: Path, tmp_path: Path
) -> None:
    known = recorded().get(name)
    if known is None:
        pytest.skip(f"no counts are recorded for Python {platform.python_version()}")
    found = count(COMMANDS[name], project, surroundings(tmp_path), tmp_path / "counts")
    hint = "see `python -X importtime`; `python -m benchmarks.start --record` accepts a new count"
    assert found.modules <= known.modules * (1 + SHARE), f"{name}: more modules; {hint}"
    assert found.calls <= known.calls * (1 + SHARE), f"{name}: more calls; {hint}"
    assert found.calls >= known.calls * (1 - SHARE), f"{name}: fewer calls, which is good; {hint}"


HEAVY = {
    "requests": "opens connections",
    "docker": "talks to an engine",
    "sqlalchemy": "opens a ledger",
    "jinja2": "writes pages",
    "lark": "parses a filter",
    "rattler": "solves conda environments",
    "rich.progress": "draws bars",
    "email": "reads metadata of distributions",
}


@pytest.mark.process
@pytest.mark.parametrize("name", ["version", *GUARDED])
def test_what_only_others_need_is_not_loaded(name: str, project: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "freezer", *COMMANDS[name]],
        cwd=project, env=surroundings(tmp_path), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in loaded
    assert not loaded & HEAVY.keys()


BEFORE_A_RUN = """
import sys
from freezer.cli.image import run
from freezer.flows.runs.request import RunRequest, read_params
from freezer.flows.runs.run import run as execute
from freezer.flows.runs.sweep import read_each, requests
print(*sys.modules)
"""


@pytest.mark.process
def test_a_run_starts_without_what_its_end_needs(tmp_path: Path) -> None:
    """The ledger is loaded while the container starts, and what compares where a spec expects."""
    done = subprocess.run(
        [sys.executable, "-c", BEFORE_A_RUN],
        env=surroundings(tmp_path), capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(done.stdout.split())
    late = {"sqlalchemy", "docker", "jinja2", "rich.progress", "freezer.check.compare.compare"}
    assert "freezer.flows.runs.prepare" in loaded
    assert not loaded & late
