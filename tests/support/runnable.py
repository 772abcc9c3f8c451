"""A project whose image a fake engine holds, and what that does for a training."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freezer.engine.interface import RunOptions, RunResult
from freezer.flows.project.project import Project
from freezer.flows.runs.request import RunRequest
from freezer.flows.runs.run import RunDone, run
from tests.support.project.documented import SHIPPED, Documented

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
