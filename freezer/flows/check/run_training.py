"""One run of a lock's smoke trainings in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.check.smoke import Varied, run_smoke
from freezer.errors import CheckError
from freezer.flows.image.inventory_cache import inventory_of
from freezer.model.record.inventory import note_of

if TYPE_CHECKING:
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock
    from freezer.model.record.inventory import InventoryNote
    from freezer.model.record.record import Record, Training

_KILLED = ("exit status -9", "exit status 137")
"""What is told of a training that was ended by SIGKILL, itself or below a shell."""


def train(project: Project, lock: Lock, lock_id: str, image: str, title: str) -> Record:
    """Return the record of one run, with a note of what does the arithmetic in the image.

    Raises ``CheckError`` when nothing can be run, ``HostError`` before anything is run where the
    driver is too old for the lock's CUDA.
    """
    gpus = _gpus(lock)
    note = _note(project, image)
    record = _run(project, lock, lock_id, image, title, gpus=gpus)
    return record.model_copy(update={"inventory": note})


def vary(
    project: Project,
    locked: Locked,
    image: str,
    title: str,
    varied: Varied,
) -> Record:
    """Return the record of an experiment, after a run in which nothing was varied."""
    gpus = _gpus(locked.lock)
    return _run(project, locked.lock, locked.id, image, title, varied=varied, gpus=gpus)


def _gpus(lock: Lock) -> bool:
    """Say whether a lock's trainings are to see GPUs, and there are some; hold their driver first.

    Raises ``HostError`` for a driver that is too old.
    """
    if lock.accelerator is None:
        return False
    from freezer.check.gpu import host_gpus, require_driver  # most locks want no GPU

    gpus = host_gpus()
    require_driver(lock.accelerator, gpus)
    return bool(gpus)


def _run(
    project: Project, lock: Lock, lock_id: str, image: str, title: str, **options: Any
) -> Record:
    engine = project.engine()
    record = run_smoke(
        lock, lock_id, image, engine=engine, report=project.report, title=title, **options
    )
    trainings = tuple(_in_plain_words(one, lock) for one in record.trainings)
    host = record.host.model_copy(update={"engine": f"{engine.info.name} {engine.info.version}"})
    return record.model_copy(update={"trainings": trainings, "host": host})


def require_host(project: Project, lock: Lock) -> None:
    """Hold this host's driver against a lock, and warn of what it can do in part only.

    Raises ``HostError`` for a driver that is too old, with one that would do.
    """
    if lock.accelerator is not None:
        from freezer.check.gpu import host_gpus, require_driver

        for warning in require_driver(lock.accelerator, host_gpus()):
            project.report.warn(warning)


def _note(project: Project, image: str) -> InventoryNote | None:
    """Return what does the arithmetic; without it the numbers can still be compared."""
    try:
        return note_of(inventory_of(project, image))
    except CheckError as error:
        project.report.warn(f"changed libraries cannot be named: {error.what}")
        return None


def _in_plain_words(training: Training, lock: Lock) -> Training:
    """Say what a kill most likely means: nothing else in there would end a training so."""
    first, *rest = (training.failure or "").splitlines() or [""]
    if first not in _KILLED:
        return training
    said = f"it was killed, most likely out of memory; raise smoke.memory, now {lock.smoke.memory}"
    return training.model_copy(update={"failure": "\n".join([said, *rest])})
