"""`freeze update` of conda packages, with the real solver on small channels; base and Debian are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.lock.lock import lock
from freezer.flows.project.environment import load_environment
from freezer.flows.project.project import Project
from freezer.flows.update.update import UpdateRequest, UpdateResult, update
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from tests.support.conda.condaindex import DAY, JANUARY, record, write_channel
from tests.support.host.hosts import Ear
from tests.support.project.locks import make_lock
from tests.support.project.questions import settled_questions

pytestmark = pytest.mark.process

EARLY, LATE = "2026-01-15T00:00:00Z", "2026-03-01T00:00:00Z"
LATER = {"timestamp": JANUARY + 30 * DAY}
CHANNEL = [
    record("python", "3.11.9", "h1_cpython"),
    record("pip", "25.0", depends=["python >=3.8"], subdir="noarch", noarch="python"),
    record("numpy", "1.0", "py311_0", depends=["python 3.11.*"]),
    record("numpy", "2.0", "py311_0", depends=["python 3.11.*"], **LATER),
    record("scipy", "1.0", "py311_0", depends=["numpy >=1,<2"]),
    record("scipy", "1.1", "py311_0", depends=["numpy >=1"], **LATER),
    # An old one, from before the limit was known: nothing must go back to it.
    record("scipy", "0.9", "py311_0", depends=["numpy"]),
    record("plot", "1.0", "py311_0", depends=["numpy"]),
    record("plot", "2.0", "py311_0", depends=["numpy"], **LATER),
    record("cuda-version", "12.4", "h_0"),
    record("cuda-version", "12.6", "h_0", **LATER),
    record("cudnn", "9.1", "h_0", depends=["cuda-version >=12.4,<13"]),
    record("cudnn", "9.5", "h_0", depends=["cuda-version >=12.4,<13"], **LATER),
    record("cudnn", "9.9", "h_0", depends=["cuda-version >=12.6,<13"], **LATER),
]


class Env:
    """A project whose packages come from a channel."""

    def __init__(self, root: Path) -> None:
        self.root, self.ear = root, Ear()
        self.url = write_channel(root / "channel", *CHANNEL)
        store = Store.open(root / "store")
        self.opened = Project(root, Config(), store, _no_engine, self.ear)

    def lock(self, *dependencies: str) -> dict[str, str]:
        conda = {
            "channels": [self.url],
            "dependencies": ["python=3.11", "pip", *dependencies],
            "resolver": "rattler",
        }
        spec = {"name": "demo", "base": "debian:bookworm-slim", "python": "3.11", "conda": conda}
        (self.root / "freeze.yaml").write_text(yaml.safe_dump(spec))
        environment = load_environment(self.root, None)
        made = make_lock(debian=(), pip=(), as_of=EARLY)
        answers = settled_questions(environment, made)
        file = self.root / "lockfiles" / "demo" / LOCK_FILE
        file.parent.mkdir(parents=True)
        file.write_bytes(lock_bytes(made.model_copy(update={"answers": answers})))
        return pins(lock(self.opened, None, as_of=EARLY).locked.lock)

    def update(self, *packages: str, **more: Any) -> UpdateResult:
        return update(self.opened, None, UpdateRequest(packages, **{"as_of": LATE, **more}))


def _no_engine() -> Any:
    raise AssertionError("nothing of this needs an engine")


def pins(lock: Any) -> dict[str, str]:
    return {item.name: item.version for item in lock.conda}


@pytest.fixture
def env(tmp_path: Path) -> Env:
    return Env(tmp_path)


def test_what_is_named_moves_and_only_what_it_forces(env: Env) -> None:
    assert env.lock("scipy", "plot")["numpy"] == "1.0"
    result = env.update("numpy", reason="faster")
    assert [(one.name, one.after, one.named) for one in result.moves] == [
        ("numpy", "2.0 py311_0", True),
        ("scipy", "1.1 py311_0", False),
    ]
    cause = result.moves[1].cause or ""
    assert "scipy 1.0" in cause
    assert "numpy >=1,<2" in cause
    assert any(note.startswith("Also moves: conda package scipy") for note in env.ear.notes)
    assert result.alone == {"numpy": "1.0 py311_0"}
    assert result.written is not None
    assert pins(result.written.lock)["plot"] == "1.0"


def test_strict_refuses_and_writes_nothing(env: Env) -> None:
    env.lock("scipy")
    result = env.update("numpy", strict=True)
    assert (result.refused, result.written) == (True, None)


def test_a_part_of_cuda_moves_as_far_as_the_rest_of_it_allows(env: Env) -> None:
    env.lock("cudnn", "cuda-version=12.4")
    result = env.update("cudnn")
    assert [(one.name, one.after) for one in result.moves] == [("cudnn", "9.5 h_0")]
    assert pins(result.lock)["cuda-version"] == "12.4"


def test_cuda_itself_moves_and_takes_along_nothing_that_need_not(env: Env) -> None:
    env.lock("cudnn", "cuda-version")
    result = env.update("cuda-version")
    assert [(one.name, one.after) for one in result.moves] == [("cuda-version", "12.6 h_0")]
    again = env.update("cudnn")
    assert [(one.name, one.after) for one in again.moves] == [("cudnn", "9.9 h_0")]


def test_a_version_of_a_build_for_this_update_only(env: Env) -> None:
    env.lock("plot")
    result = env.update("numpy==2.0", "plot==2.0")
    assert {name: pins(result.lock)[name] for name in ("numpy", "plot")} == {
        "numpy": "2.0",
        "plot": "2.0",
    }


def test_a_lock_keeps_its_reason_in_the_history(env: Env) -> None:
    env.lock("scipy")
    file = env.root / "freeze.yaml"
    file.write_text(file.read_text().replace("- scipy", "- scipy\n  - plot"))
    lock(env.opened, None, reason="plots are wanted")
    lines = (env.root / "lockfiles/demo/history/generations.jsonl").read_text().splitlines()
    last, before = json.loads(lines[-1]), json.loads(lines[-2])
    assert (last["action"], last["reason"]) == ("lock", "plots are wanted")
    assert "reason" not in before
