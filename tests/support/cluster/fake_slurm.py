"""Programs named like Slurm's, for a project with a fake engine: they do what a test says."""

from __future__ import annotations

import json
import os
import stat
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freezer.fleet.trainings.options import JobOptions
from freezer.fleet.trainings.submission import Submission, Submissions
from freezer.flows.image.build import verified_image
from freezer.flows.project.environment import load_locked
from freezer.flows.runs.cluster.batch import SweepPlan
from freezer.flows.runs.cluster.place import cluster_of
from freezer.flows.runs.cluster.submit import submit
from freezer.flows.runs.folders import submissions_in
from freezer.flows.runs.request import RunRequest
from tests.support.project.documented import SHIPPED
from tests.support.runnable import Runnable

SINFO = """
case "$*" in
*%n*) echo {host} ;;
*) echo 'n1|idle|haswell|(null)|none'; echo 'n2|idle|haswell|gpu:2|none' ;;
esac
"""


@dataclass
class FakeSlurm:
    """The programs, in a folder that is first on PATH."""

    folder: Path
    runnable: Runnable
    queue: Path = field(init=False)

    def __post_init__(self) -> None:
        self.queue = self.folder / "queue"
        self.queue.touch()
        self.program("sinfo", SINFO.format(host=os.uname().nodename.partition(".")[0]))
        self.program("squeue", f"cat {self.queue}")
        self.program("sacct", "")
        self.accepts()

    def has_image(self, fleets: Path) -> None:
        """Put the image's archive where a fleet has it: the fake engine's holds nothing."""
        project = self.runnable.project
        image = verified_image(project, load_locked(project.root, SHIPPED))
        assert image is not None
        images = fleets / "images"
        images.mkdir(parents=True, exist_ok=True)
        archive = images / f"{image.id.removeprefix('sha256:')}.tar"
        archive.write_bytes(b"image")
        note = {"manifest": f"sha256:{'5' * 64}", "bytes": 5}
        archive.with_suffix(".json").write_text(json.dumps(note))

    def program(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{textwrap.dedent(script)}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def accepts(self, number: str = "17") -> None:
        """Take every job; keep what was given."""
        at = self.folder
        self.program(
            "sbatch",
            f'echo x >>{at}/count; printf "%s\\n" "$@" >{at}/words; cat >{at}/script; '
            f"env >{at}/environment; echo {number}",
        )

    def lists(self, *rows: str) -> None:
        self.queue.write_text("".join(f"{row}\n" for row in rows))

    @property
    def words(self) -> list[str]:
        return (self.folder / "words").read_text().splitlines()

    @property
    def submitted(self) -> bool:
        return (self.folder / "count").exists()

    @property
    def open(self) -> list[Submission]:
        kept = Submissions(submissions_in(self.runnable.project.root))
        return [one for run in kept.runs() if (one := kept.get(run)) is not None]

    def submit(
        self, *requests: RunRequest, sweep: SweepPlan | None = None, **how: Any
    ) -> tuple[Submission, ...]:
        options = JobOptions(**how)
        cluster = cluster_of("slurm:all", options)
        asked = requests or (RunRequest(command=("train",)),)
        return submit(self.runnable.project, SHIPPED, asked, cluster, options, sweep)
