"""``freeze check --on``: prepare a fleet's folder and submit a job for each host."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.check.smoke import smoke_command, smoke_names
from freezer.errors import CheckError, FleetError, HostError
from freezer.fetch.store.atomic import disk_errors
from freezer.fleet.folder import FleetFolder
from freezer.fleet.program import host_program
from freezer.fleet.request import FleetEnvironment, Request
from freezer.fleet.slurm import Slurm, require_slurm
from freezer.fleet.target import parse_target
from freezer.flows.check.check import no_image
from freezer.flows.fleet.place import fleets_folder
from freezer.flows.fleet.submit import submit_attempt
from freezer.flows.history.recorded import ensure_references, readable_history
from freezer.flows.image.build import verified_image
from freezer.flows.image.export import export
from freezer.flows.project.environment import environment_names, load_locked
from freezer.flows.registry.references import place_of
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project

RUNTIMES: Final = ("docker", "podman", "apptainer", "enroot")


@dataclass(frozen=True, kw_only=True)
class FleetOptions:
    """What the user may choose of a fleet."""

    only: tuple[str, ...] = ()
    """Some of the target's hosts by name; empty: all of them."""
    deadline: int = 3600
    """Seconds until a host's job must have ended."""
    record: bool = False
    pull: bool = False
    """Whether hosts pull the images from the registry to which they were pushed."""
    runtimes: tuple[str, ...] = RUNTIMES
    python: str = "python3"
    slurm: tuple[str, ...] = ()
    """Further options for ``sbatch``."""


def start_fleet(
    project: Project, names: Sequence[str], on: str, options: FleetOptions
) -> FleetFolder:
    """Submit the check of some environments on every host of a target; return the fleet.

    Raises ``FleetError`` for an unusable target, ``CheckError`` when an image is not built,
    ``HistoryError`` for a reference that was exchanged.
    """
    target = parse_target(on)
    _require_runtimes(options.runtimes)
    require_slurm()
    slurm = Slurm(options.slurm)
    nodes = target.select(slurm.nodes(target.partition), options.only)
    root = fleets_folder(project)
    locked = [load_locked(project.root, name) for name in names or _every(project)]
    for one in locked:
        if not options.record:
            ensure_references(project, one, readable_history(project, one.lock.name))
    environments = tuple(_environment(project, one, root, options) for one in locked)
    request = Request(
        id=f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}",
        created=int(time.time()),
        target=target.text,
        partition=target.partition,
        hosts=tuple(node.name for node in nodes),
        environments=environments,
        deadline=options.deadline,
        runtimes=options.runtimes,
        python=options.python,
        record=options.record,
    )
    folder = FleetFolder(root / request.id)
    folder.create(request, host_program())
    every = tuple(one.name for one in environments)
    submit_attempt(folder, request, slurm, dict.fromkeys(nodes, every), project.report)
    return folder


def _every(project: Project) -> list[str | None]:
    names: list[str | None] = list(environment_names(project.root))
    return names or [None]


def _require_runtimes(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in RUNTIMES]
    if unknown or not names:
        raise FleetError(
            f"there is no container runtime {', '.join(unknown)!r}",
            expected=", ".join(RUNTIMES),
        )


def _environment(
    project: Project, locked: Locked, root: Path, options: FleetOptions
) -> FleetEnvironment:
    """Return an environment as hosts get it; write its image to the shared folder if needed."""
    lock = locked.lock
    image = verified_image(project, locked)
    if image is None:
        raise no_image(locked)
    names = smoke_names(lock)
    pull = _published(project, locked, image.id) if options.pull else None
    images = root / "images"
    archive = None if pull else images / f"{image.id.removeprefix('sha256:')}.tar"
    return FleetEnvironment(
        name=lock.name,
        lock_id=locked.id,
        image=image.id,
        inside=lock.inside.sha256,
        manifest=pull.partition("@")[2] if pull else _archived(project, lock.name, archive),
        archive=str(archive) if archive else None,
        pull=pull,
        images=str(images),
        command=tuple(smoke_command(lock)),
        trainings=names,
        cpus=lock.smoke.cpus,
        memory=lock.smoke.memory,
        timeout=float(lock.smoke.timeout * len(names)),
        gpus=lock.accelerator is not None,
    )


def _archived(project: Project, name: str, archive: Path | None) -> str | None:
    """Return the manifest of an image's archive, which is written where it is missing."""
    if archive is None:
        return None
    note = archive.with_suffix(".json")
    with disk_errors(archive.parent.parent):
        archive.parent.mkdir(exist_ok=True)
    try:
        known = parse_json(note.read_bytes())
        if archive.stat().st_size == known["bytes"]:
            return str(known["manifest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _export(project, name, archive, note)


def _export(project: Project, name: str, archive: Path, note: Path) -> str:
    from freezer.fetch.store.atomic import write_atomically
    from freezer.model.canonical import json_bytes

    written = export(project, name, archive)
    if written.built.image.removeprefix("sha256:") != archive.stem:
        archive.unlink(missing_ok=True)
        raise CheckError(
            f"the image of {name} was built with another revision than its lock alone gives",
            hint=f"run `freeze build {name}`, or use --pull with an image that was pushed",
        )
    with disk_errors(archive.parent):
        write_atomically(note, json_bytes({"manifest": written.manifest, "bytes": written.size}))
    return written.manifest


def _published(project: Project, locked: Locked, image: str) -> str:
    name = place_of(project, image)
    if name is None or "@sha256:" not in name:
        raise HostError(
            f"the image of {locked.lock.name} was not pushed to a registry from here",
            hint=f"run `freeze push {locked.lock.name} REGISTRY/REPOSITORY`, or leave out --pull",
        )
    return name
