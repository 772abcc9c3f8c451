"""The conda locks that this project ships: what its specs give now, from genuine records."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import rattler

from freezer.engine.interface import Engine
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.lock.conda import CondaResolver
from freezer.flows.lock.ecosystems import read_requirements, stale_ecosystems
from freezer.flows.lock.interface import Below, DebianAnswer, LockRequest
from freezer.flows.lock.lock import exports
from freezer.flows.lock.reasons import with_reasons
from freezer.flows.project.environment import load_environment, read_lock
from freezer.flows.project.project import Project
from freezer.model.events import SilentReporter
from freezer.model.lock import Lock
from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module, quiet
from tests.support.conda.conda_forge import conda_forge

ROOT = Path(__file__).parents[4]
SHIPPED = ("blas-mkl", "blas-openblas", "torch-cuda")
"""Solved on a machine without a GPU, as this one may be."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the shipped project, with conda-forge served from a folder."""
    folder = tmp_path_factory.mktemp("shipped")
    address = conda_forge(folder / "channel").as_uri()
    config = Config.model_validate({"sources": {"conda": {"conda-forge": [address]}}})
    return Project(ROOT, config, Store.open(folder / "store"), no_engine, SilentReporter())


def no_engine() -> Engine:
    raise AssertionError("a lock is compared with its spec without an engine")


def locked(name: str) -> Lock:
    found = read_lock(ROOT, name)
    assert found is not None
    return found.lock


def lock_id_of(name: str) -> str:
    found = read_lock(ROOT, name)
    assert found is not None
    return found.id


@pytest.mark.process
@pytest.mark.parametrize("name", SHIPPED)
def test_solved_anew_each_is_the_same(opened: Project, name: str) -> None:
    """The lock answers its spec, a solve from nothing gives it again, and its exports are its own."""
    lock, environment = locked(name), load_environment(ROOT, name)
    requirements = read_requirements(environment, opened.config)
    request = LockRequest(environment, lock.as_of, None)
    assert list(stale_ecosystems(replace(request, old=lock), requirements, lock)) == []
    for file, data in exports(opened, requirements, lock, lock_id_of(name)).items():
        assert (environment.lock_folder / file).read_bytes() == data
    system = DebianAnswer.locked(lock.debian, lock.target)
    found = CondaResolver(requirements.conda).resolve(opened, request, Below({"debian": system}))
    again = lock.model_copy(update={"conda": found.packages})
    assert with_reasons(again, environment, SilentReporter()) == lock
    assert (found.virtual_packages, found.other_platforms) == (
        lock.virtual_packages,
        lock.conda_elsewhere,
    )


@pytest.mark.process
@pytest.mark.parametrize("name", SHIPPED)
def test_others_read_each_and_find_the_content_hash_again(name: str, tmp_path: Path) -> None:
    """conda-lock's command, compared with the files that lie beside the lock, has nothing to do."""
    lock, folder = locked(name), ROOT / "lockfiles" / name
    with quiet():
        read = conda_lock_module("lockfile").parse_conda_lock_file(folder / "conda-lock.yml")
    hashes = {item.sha256 for item in lock.conda}
    assert {item.hash.sha256 for item in read.package} == hashes
    records = rattler.LockFile.from_path(folder / "conda-lock.yml").default_environment()
    assert records is not None
    (platform,) = records.platforms()
    assert len(records.packages(platform) or ()) == len(hashes)
    done = conda_lock(folder, tmp_path)
    assert "already locked for ['linux-64']" in done.stderr, done.stderr


def conda_lock(folder: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """Ask conda-lock whether a lock answers its sources; all it may ask of conda is its version."""
    (scratch / "names.json").write_text("{}")
    conda = scratch / "conda"
    conda.write_text('#!/bin/sh\n[ "$1" = --version ] && echo conda 26.1.0\n')
    conda.chmod(0o755)
    command = [
        *(sys.executable, "-m", "conda_lock", "lock", "--check-input-hash", "-p", "linux-64"),
        *("-f", "environment.yml", "--virtual-package-spec", "virtual-packages.yml"),
        *("--conda", str(conda)),
        *("--pypi_to_conda_lookup_file", (scratch / "names.json").as_uri()),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_two_blas_are_the_same_packages_on_another_blas() -> None:
    mkl, openblas = ({item.name: item.file for item in locked(name).conda} for name in SHIPPED[:2])
    for name in ("python", "numpy", "scipy", "scikit-learn"):
        assert mkl[name] == openblas[name]
    assert mkl["libblas"].endswith("_mkl.conda")
    assert openblas["libblas"].endswith("_openblas.conda")


def test_the_gpu_environment_has_gpu_builds_of_what_was_asked() -> None:
    lock = locked("torch-cuda")
    found = {item.name: f"{item.version} {item.build}" for item in lock.conda}
    assert "cuda129" in found["pytorch"]
    assert found["cuda-version"].startswith("12.9 ")
    assert lock.virtual_packages["__cuda"] == "12.9"
    assert lock.accelerator is not None
    assert found["cudnn"].startswith(f"{lock.accelerator.cudnn} ")
