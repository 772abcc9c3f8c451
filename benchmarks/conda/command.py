"""The whole of ``freeze lock``: a project whose base is locked, and whose conda half is not.

Base and Debian packages are those of a lock that this repository ships, so that neither an engine
nor an archive is asked. Measured is reading spec and lock, solving, writing the lock and exports.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from freezer.model.lock import Accelerator
from freezer.model.lockfile import LOCK_FILE, lock_bytes, parse_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.engine.interface import Engine

SHIPPED = Path(__file__).parents[2] / "lockfiles" / "torch-cuda" / LOCK_FILE
NAME = "bench"


def project(folder: Path, channel: Path, specs: Sequence[str], cuda: str | None) -> Path:
    """Write a project without conda packages in its lock; return its folder."""
    shipped = parse_lock(SHIPPED.read_bytes(), LOCK_FILE)
    answers = {ecosystem: shipped.answers[ecosystem] for ecosystem in ("base", "debian", "pip")}
    changes: dict[str, Any] = {"name": NAME, "answers": answers, "conda": ()}
    lock = shipped.model_copy(update=changes | {"accelerator": cuda and Accelerator(cuda=cuda)})
    spec = {
        "name": NAME,
        "base": {"bootstrap": "bookworm"},
        "python": "3.12",
        "conda": {"channels": ["conda-forge"], "dependencies": list(specs)},
        "as-of": lock.as_of,
        "smoke": {"command": ["true"]},
    } | ({"accelerator": {"cuda": cuda}} if cuda else {})
    target = folder / "lockfiles" / NAME
    target.mkdir(parents=True)
    (target / LOCK_FILE).write_bytes(lock_bytes(lock))
    (folder / "freeze.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    sources = {"conda": {"conda-forge": [channel.resolve().as_uri()]}}
    (folder / ".freezer.yaml").write_text(yaml.safe_dump({"sources": sources}))
    return folder


def recorded(made: Path) -> None:
    """Have the project's lock in its history, as it is after any command that wrote it."""
    from freezer.flows.history.generations import adopted_history
    from freezer.flows.project.project import Project

    adopted_history(Project.open(made, no_engine), NAME)


def no_engine() -> Engine:
    """Refuse: none is needed."""
    raise AssertionError("the base is locked")


def wall_clock(made: Path, store: Path) -> float:
    """Return how long the command takes as a user starts it."""
    command = [sys.executable, "-m", "freezer", "-C", str(made), "lock"]
    started = time.perf_counter()
    subprocess.run(
        command, env={**os.environ, "FREEZER_STORE": str(store)}, capture_output=True, check=True
    )
    return time.perf_counter() - started


def without_start(made: Path, store: Path) -> dict[str, Any]:
    """Run the command twice in this process, from the same state; return what the second took.

    By then Python and all that the command imports is there.
    """
    from freezer.cli.main import run
    from freezer.model import lockfile

    tempfile.tempdir = str(made.parent)  # conda-lock leaves its folders to the end of a process
    seconds, copy = 0.0, made
    for number in (1, 2):
        copy, own = made.with_name(f"{made.name}-{number}"), store.with_name(f"store-{number}")
        shutil.copytree(made, copy)
        # Linked, not copied: a copy is hashed anew before it is used, and a store of use is not.
        shutil.copytree(store, own, copy_function=os.link)
        os.environ["FREEZER_STORE"] = str(own)
        recorded(copy)
        lockfile._sound.cache_clear()  # noqa: SLF001 - the second run reads its lock as well
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            code = run(["-C", str(copy), "lock"])
        seconds = time.perf_counter() - started
        if code:
            sys.exit(f"freeze lock: {code}")
    folder = copy / "lockfiles" / NAME
    lock = parse_lock((folder / LOCK_FILE).read_bytes(), LOCK_FILE)
    return {"seconds": seconds, "records": len(lock.conda), "parts": conda_locks_own(folder)}


def conda_locks_own(folder: Path) -> float:
    """Return what conda-lock's own parts take to make its file, called by nobody but this.

    Its content hash, its models, and YAML by libyaml, which its own writer does not use.
    """
    from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module, quiet

    read = conda_lock_module("lockfile").parse_conda_lock_file(folder / "conda-lock.yml")
    names = folder / "names.json"
    names.write_text("{}")
    started = time.perf_counter()
    with quiet():
        spec = conda_lock_module("src_parser").make_lock_spec(
            src_files=[folder / "environment.yml"],
            platform_overrides=["linux-64"],
            mapping_url=names.as_uri(),
        )
    virtual = conda_lock_module("virtual_package")
    packages = virtual.virtual_package_repo_from_specification(folder / "virtual-packages.yml")
    conda_lock_module("content_hash").compute_content_hashes(spec, packages)
    yaml.dump(read.to_v1().dict_for_output(), Dumper=yaml.CDumper, sort_keys=False)
    return time.perf_counter() - started
