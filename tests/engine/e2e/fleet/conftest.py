"""A Slurm cluster whose nodes share this machine, its engine and a folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.inside import inside_files
from tests.support.cluster.slurm import MISSING, Slurm
from tests.support.host.commands import Project

PROGRAM = "freezer_inside/numpy_training.py"
LINE = "params[name] = params[name] + speed[name]"


@pytest.fixture(scope="session")
def referenced(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the built project with a reference of this host's class; not to be changed."""
    project = built.copy(tmp_path_factory.mktemp("cluster") / "project")
    project.freeze("check").good()
    return project


@pytest.fixture(scope="session")
def shared() -> Iterator[Path]:
    """Return a folder with a short path that plays the shared file system."""
    folder = Path(tempfile.mkdtemp(prefix="freezer-", dir="/tmp"))
    folder.chmod(0o755)  # the database has a user of its own
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def running(shared: Path) -> Iterator[Slurm]:
    """Return four idle nodes; whoever breaks one repairs it."""
    if MISSING or os.getuid() != 0:
        pytest.skip(f"a cluster takes {', '.join(['root', *MISSING])}")
    folder = shared / "slurm"
    folder.mkdir()
    cluster = Slurm(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def cluster(running: Slurm, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slurm]:
    """Return the cluster as commands of this process reach it, with no host that differs."""
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    yield running
    running.plain_hosts()
    running.run("scancel", "--quiet", "--user=root")


@pytest.fixture
def project(referenced: Project, shared: Path) -> Iterator[Project]:
    """Return a copy of the built project on the shared file system."""
    folder = Path(tempfile.mkdtemp(prefix="project-", dir=shared)) / "project"
    yield referenced.copy(folder)
    shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def drifting(shared: Path) -> str:
    """Return options for ``docker run`` that plant a mutation in the training: one sum is scaled."""
    source = inside_files()[PROGRAM].decode()
    assert LINE in source
    path = shared / "mutated.py"
    path.write_text(source.replace(LINE, f"{LINE} * np.float32(1.0000002)"))
    path.chmod(0o644)
    return f"--volume {path}:/opt/freezer/{PROGRAM}:ro"
