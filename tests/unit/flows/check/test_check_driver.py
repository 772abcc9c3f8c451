"""``freeze check`` on hosts whose driver is too old for the lock's CUDA, and on such that will do."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.model.lock import Accelerator
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from tests.support.host.commands import Project
from tests.support.project.locks import make_lock

pytestmark = pytest.mark.process

LOCKED = Accelerator(cuda="12.9", cudnn="9.11.0.98", driver=">=575.51.03")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a lock for GPUs alone: neither spec nor image is there."""
    project = Project(tmp_path, tmp_path / "store", "demo")
    project.lock_file.parent.mkdir(parents=True)
    project.lock_file.write_bytes(lock_bytes(make_lock(accelerator=LOCKED)))
    assert project.lock_file.name == LOCK_FILE
    return project


def host(folder: Path, driver: str, capability: str = "9.0") -> str:
    """Give this host a driver; return the PATH to find it by."""
    tool = folder / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\necho '{driver}, {capability}, NVIDIA H100'\n")
    tool.chmod(0o755)
    return f"{tool.parent}:/usr/bin:/bin"


def test_a_driver_that_is_too_old_is_refused_before_anything_else(project: Project) -> None:
    done = project.freeze("check", "demo", PATH=host(project.folder, "470.82.01"))
    done.failed(
        2,
        "this host's driver is too old for the lock's CUDA",
        "driver 470.82.01 is too old for CUDA 12.9: 575.51.03 carries it",
        "upgrade the driver of NVIDIA H100 to 575.51.03 or newer",
    )
    assert "freeze build" not in done.err


def test_the_floor_of_the_spec_holds_where_the_cuda_would_run(project: Project) -> None:
    done = project.freeze("check", "demo", PATH=host(project.folder, "550.54.15"))
    done.failed(2, "driver 550.54.15: the lock requires at least 575.51.03")


def test_a_gpu_that_the_cuda_does_not_know_names_those_that_do(project: Project) -> None:
    done = project.freeze("check", "demo", PATH=host(project.folder, "580.65.06", "3.7"))
    done.failed(2, "CUDA 12.9 does not support this host's GPU", "a CUDA from 11.0 to 11.8")


def test_a_driver_that_will_do_lets_the_check_go_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{project.folder}/none.sock")
    done = project.freeze("check", "demo", PATH=host(project.folder, "580.65.06"))
    done.failed(2, "none.sock")
    assert "CUDA" not in done.err


def test_a_host_without_a_driver_is_told_so_and_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{project.folder}/none.sock")
    done = project.freeze("check", "demo", PATH="/nonexistent")
    done.failed(2, "has no visible NVIDIA driver", "none.sock")
