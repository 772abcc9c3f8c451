"""Images for the hosts of a fleet: an OCI layout on the shared file system, or a registry's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.smoke import smoke_command, smoke_names
from freezer.errors import CheckError, HostError
from freezer.fetch.store.atomic import disk_errors
from freezer.fleet.request import FleetEnvironment
from freezer.flows.check.check import no_image
from freezer.flows.image.build import verified_image
from freezer.flows.image.export import export
from freezer.flows.registry.references import place_of
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project


def fleet_environment(
    project: Project, locked: Locked, root: Path, *, pull: bool
) -> FleetEnvironment:
    """Return an environment as hosts get it; write its image to the shared folder if needed.

    With ``pull`` hosts get it from the registry to which it was pushed. Raises ``CheckError`` when
    the image is not built, ``HostError`` when it was not pushed.
    """
    lock = locked.lock
    image = verified_image(project, locked)
    if image is None:
        raise no_image(locked)
    names = smoke_names(lock)
    place = _published(project, locked, image.id) if pull else None
    images = root / "images"
    archive = None if place else images / f"{image.id.removeprefix('sha256:')}.tar"
    return FleetEnvironment(
        name=lock.name,
        lock_id=locked.id,
        image=image.id,
        inside=lock.inside.sha256,
        manifest=place.partition("@")[2] if place else _archived(project, lock.name, archive),
        archive=str(archive) if archive else None,
        pull=place,
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
