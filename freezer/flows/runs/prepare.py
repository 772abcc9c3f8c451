"""Prepares a run: verifies spec, lock, code, data and image before anything starts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from freezer.errors import CheckError, RunError, Where
from freezer.fetch.config import PROJECT_FILE
from freezer.flows.data.records import write_record
from freezer.flows.data.sets import data_sets, require_expected, take
from freezer.flows.image.build import build_locked, verified_image
from freezer.flows.image.current_lock import warn_of_spec_change
from freezer.flows.project.environment import (
    IMAGES,
    LOCKS,
    SPEC_FILE,
    load_environment,
    load_locked,
)
from freezer.flows.runs.code import Code, code_of, require_clean
from freezer.flows.runs.folders import run_folder
from freezer.flows.support.preload import meanwhile

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.data.snapshot import Snapshot
    from freezer.engine.interface import ImageInfo
    from freezer.flows.data.sets import DataSet
    from freezer.flows.project.environment import Environment, Locked
    from freezer.flows.project.project import Project
    from freezer.flows.runs.request import RunRequest


@dataclass(frozen=True)
class PreparedRun:
    """Everything that a run needs, verified before it starts."""

    locked: Locked
    environment: Environment
    image: ImageInfo
    code: Code
    code_folder: Path
    sets: list[tuple[DataSet, Snapshot]]
    output: Path
    record: Path


def prepare(
    project: Project,
    name: str | None,
    request: RunRequest,
    identifier: str,
    *,
    elsewhere: bool = False,
) -> PreparedRun:
    """Verify everything that can fail before the container starts; build the image if needed.

    ``elsewhere``: it runs on another host, whose CPUs are not those of the engine here.
    """
    environment = load_environment(project.root, name)
    locked = load_locked(project.root, name)
    folder = run_folder(project, identifier)
    output = (request.output or folder / "output").absolute()
    if output.exists():
        raise RunError(
            "the output folder exists already",
            where=Where(str(output)),
            hint="choose a new folder: it must hold the outputs of this run only",
        )
    if not elsewhere:
        _require_cpus(project, environment, request)
    # Comparing the lock with its spec loads the resolvers, and the engine its library, while git
    # and the data are looked at.
    warn = partial(warn_of_spec_change, project, locked)
    with meanwhile(warn), meanwhile(project.engine):
        code = code_of(project.root, not_code(environment))
        if request.clean:
            require_clean(code)
        taken = [(one, take(project, one)) for one in _wanted(project, environment, request)]
        for one, snapshot in taken:
            require_expected(one, snapshot.digest)
            write_record(project, environment.name, snapshot)
        image = verified_image(project, locked)
    image = image or require_image(project, locked)
    record_folder = folder / "record"
    for path in (output, record_folder):
        path.mkdir(parents=True)
    return PreparedRun(locked, environment, image, code, project.root, taken, output, record_folder)


def require_image(project: Project, locked: Locked) -> ImageInfo:
    """Return the verified image of a lock; build it first if the engine lacks it."""
    image = verified_image(project, locked)
    if image is None:
        build_locked(project, locked)
        image = verified_image(project, locked)
    if image is None:
        raise CheckError(f"the image of lock {locked.id[:12]} does not exist after its build")
    return image


def _require_cpus(project: Project, environment: Environment, request: RunRequest) -> None:
    """Raise ``RunError`` for a run that needs more CPUs than the engine has."""
    wanted = environment.spec.resources.cpus
    if wanted is None or request.cpu_positions:
        return
    available = project.engine().info.cpus
    if wanted > available:
        raise RunError(
            f"the run needs {wanted} CPUs, but the engine has {available}",
            hint="use a larger engine, or lower `resources.cpus` in freeze.yaml, "
            "which is not part of the lock",
        )


def not_code(environment: Environment) -> list[str]:
    """Return patterns of files that are covered by the lock or by the digest of a data set."""
    spec, folder = environment.spec, environment.spec_folder.relative_to(environment.project)
    named = [*spec.pip.files, spec.conda.file if spec.conda else None]
    own = [(folder / one).as_posix() for one in named if one]
    sets = [one.path.removeprefix("./").rstrip("/") for one in spec.data.values()]
    data = [path for one in sets for path in (one, f"{one}/*")]
    return [SPEC_FILE, f"{IMAGES}/*/{SPEC_FILE}", f"{LOCKS}/*", PROJECT_FILE, *own, *data]


def _wanted(project: Project, environment: Environment, request: RunRequest) -> list[DataSet]:
    if not environment.spec.data and not request.data:
        return []
    return data_sets(project, environment.name, request.data or ())


def listings(project: Project, prepared: PreparedRun) -> list[bytes]:
    """Return the file lists of the data sets, as stored with the run."""
    return [project.store.verified(one.listing).read_bytes() for _, one in prepared.sets]


def sees_gpus(environment: Environment, locked: Locked, requested: bool | None) -> bool:
    """Return whether a run sees the GPUs. Raises ``HostError`` for a driver that is too old."""
    if requested is not None:
        return requested
    wanted = environment.spec.resources.gpus
    if wanted is None:
        wanted = locked.lock.accelerator is not None
    if not wanted or locked.lock.accelerator is None:
        return wanted
    from freezer.check.gpu import host_gpus, require_driver

    gpus = host_gpus()
    require_driver(locked.lock.accelerator, gpus)
    return bool(gpus)
