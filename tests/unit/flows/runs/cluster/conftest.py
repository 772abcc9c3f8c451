"""A project, and programs named like Slurm's that take every job, and list none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.fleet import slurm
from freezer.fleet.trainings.submission import Submissions
from freezer.flows.runs.folders import submissions_in
from tests.support.cluster.fake_slurm import FakeSlurm
from tests.support.runnable import Runnable


@pytest.fixture
def fake(
    runnable: Runnable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeSlurm]:
    """Return the programs; what a test submits is forgotten at its end."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(slurm, "_PAUSES", (0.0,))
    made = FakeSlurm(tmp_path, runnable)
    made.has_image(runnable.project.root / ".freezer" / "fleets")
    yield made
    kept = Submissions(submissions_in(runnable.project.root))
    for run in kept.runs():
        kept.remove(run)
