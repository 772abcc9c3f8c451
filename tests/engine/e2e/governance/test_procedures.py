"""The commands of `docs/governance` that need a container engine, in the order of the pages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.host.commands import Project
from tests.support.project.procedures import PAGES, needs_engine, steps

pytestmark = [
    pytest.mark.engine, pytest.mark.index, pytest.mark.archive, pytest.mark.timeout(1200),
]  # fmt: skip
TRAIN = """
import os, numpy
from freezer_inside.record import Recorder
recorder = Recorder("line")
value = numpy.random.default_rng(int(os.environ["FREEZER_SEED"])).normal()
for step in range(3):
    recorder.loss(step, float(value / (step + 1)))
recorder.end()
"""
REBUILT = "freeze build my-env --verify"
"""What tests/engine/e2e/build/test_verify.py and test_ci_steps.py run: it takes a minute."""


def test_every_step_with_an_engine(built: Project, tmp_path: Path) -> None:
    project = built.copy(tmp_path / "project")
    (project.folder / "train.py").write_text(TRAIN)
    project.freeze("check").good()
    author = {f"GIT_{who}_{what}": "a@example.org"
              for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}  # fmt: skip
    variables = {
        **os.environ, **author, "FREEZER_STORE": str(project.store), "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip

    def typed(command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], check=False, cwd=project.folder, env=variables, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        assert "Traceback" not in done.stdout
        return done.stdout

    typed("git init -q -b main && git add -A && git commit -qm 'Freeze it'")
    said: dict[str, str] = {}
    for page in PAGES:
        for step in steps(page):
            if step.command in said or step.command == REBUILT or not needs_engine(page, step):
                continue
            said[step.command] = typed(step.named(project.name).command)
    assert "identical" in said["freeze runs reproduce latest"]
    assert "identical" in said["freeze -C ../elsewhere check my-env"]
    assert len(said) >= 12
