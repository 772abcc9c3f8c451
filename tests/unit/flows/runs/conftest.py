"""A project whose image a fake engine holds: runs of the user's training without a container."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import freezer
from freezer.engine.interface import Engine, RunOptions, RunResult
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.project.project import Project
from freezer.flows.runs.request import RunRequest
from freezer.flows.runs.run import RunDone, run
from freezer.model.events import SilentReporter
from tests.support.project.documented import SHIPPED, Documented, documented

GOOD = RunResult(0, b"", b"", False, False, 0.1)
Training = Callable[["InContainer"], int]


@dataclass
class InContainer:
    """What a training sees: its command, its environment, and the folders behind its mounts."""

    command: Sequence[str]
    environment: Mapping[str, str]
    options: RunOptions
    say: Callable[[int, bytes], None]

    def folder(self, target: str) -> Path:
        [mount] = [one for one in self.options.mounts if one.target == target]
        return Path(mount.source)


@dataclass
class Runnable:
    """The project, and what its engine does for a training."""

    made: Documented
    project: Project

    def train(self, training: Training) -> None:
        def act(
            command: Sequence[str], options: RunOptions, say: Callable[[int, bytes], None]
        ) -> RunResult:
            inside = InContainer(command, options.environment, options, say)
            return RunResult(training(inside), b"", b"", False, False, 0.1)

        self.made.held.train = act  # type: ignore[method-assign]

    def run(self, *command: str, **more: Any) -> RunDone:
        request = RunRequest(command=command or ("train",), **more)
        return run(self.project, SHIPPED, request, lambda _stream, _data: None)

    def git(self, *words: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words],
            cwd=self.project.root,
            check=True,
            capture_output=True,
        )


@pytest.fixture(scope="module")
def runnable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runnable]:
    """Return a project that is locked and built, in a git repository."""
    with (
        pytest.MonkeyPatch.context() as patch,
        documented(tmp_path_factory.mktemp("runnable"), patch) as made,
    ):
        with freezer.open_project() as opened:
            freezer.lock(opened)
            freezer.build(opened)
        found = Runnable(made, Project.open(made.folder, lambda: made.held))
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
            found.git(*words)
        yield found


def no_engine() -> Engine:
    raise AssertionError("the ledger needs no engine")


@pytest.fixture
def bare_project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, Config(), Store.open(tmp_path / "store"), no_engine, SilentReporter())
