"""Preparing runs of a lock's smoke trainings: the host's driver, the GPUs, the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.smoke import SmokeRunner
from freezer.errors import CheckError
from freezer.flows.image.inventory_cache import inventory_of
from freezer.model.record.inventory import note_of

if TYPE_CHECKING:
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock
    from freezer.model.record.inventory import InventoryNote


def smoke_runner(project: Project, lock: Lock, lock_id: str, image: str) -> SmokeRunner:
    """Return what runs a lock's smoke trainings in its image; ``image`` is an ID.

    Raises ``HostError`` where the driver is too old for the lock's CUDA.
    """
    return SmokeRunner(
        lock=lock,
        lock_id=lock_id,
        image=image,
        engine=project.engine(),
        report=project.report,
        gpus=_sees_gpus(lock),
        inventory=_inventory_note(project, image),
    )


def require_host(project: Project, lock: Lock) -> None:
    """Require a driver that carries a lock's CUDA; warn of what this host can do in part only.

    Raises ``HostError`` for a driver that is too old, with one that would do.
    """
    if lock.accelerator is not None:
        from freezer.check.gpu import host_gpus, require_driver  # most locks need no GPU

        for warning in require_driver(lock.accelerator, host_gpus()):
            project.report.warn(warning)


def _sees_gpus(lock: Lock) -> bool:
    """Return whether a lock's trainings use GPUs, and this host has some that can be used."""
    if lock.accelerator is None:
        return False
    from freezer.check.gpu import host_gpus, require_driver

    gpus = host_gpus()
    require_driver(lock.accelerator, gpus)
    return bool(gpus)


def _inventory_note(project: Project, image: str) -> InventoryNote | None:
    """Return what does the arithmetic in an image; results can be compared without it."""
    try:
        return note_of(inventory_of(project, image))
    except CheckError as error:
        project.report.warn(f"changed libraries cannot be named: {error.what}")
        return None
