"""``freeze check IMAGE``: the verdict on a host that has an image, and no project.

The lock is read from the image; the reference is one that is published with it in its registry,
that ``freeze pull`` fetched, or a file. Nothing is recorded: there is no project to keep it.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from freezer.check.assess import verdict_by
from freezer.check.compare.compare import incomparable
from freezer.check.reference import parse_reference as parse_record
from freezer.check.reference import read_reference
from freezer.engine.interface import RunOptions
from freezer.errors import CheckError, FetchError, LockError, Where
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.repository import Repository
from freezer.flows.check.result import this_moment
from freezer.flows.check.run_training import smoke_runner
from freezer.flows.registry.pull import HINT, labelled_lock, pull, pulled_image, pulled_references
from freezer.flows.registry.references import published_classes, read_class
from freezer.image.layout import ENVIRONMENT, FREEZER
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock, short_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.engine.interface import ImageInfo
    from freezer.flows.project.project import Project
    from freezer.model.lock import Lock
    from freezer.model.record.record import Record
    from freezer.model.record.verdict import Verdict

LOCK_PATH: Final = f"{FREEZER}/{LOCK_FILE}"
_LARGEST_LOCK = 64 << 20
_NO_RIGHT = "use the image only if you know who made it"
_MOST_NAMES = 3


@dataclass(frozen=True)
class ImageCheck:
    """The result of a check of an image."""

    name: str
    """The image as the user named it."""
    lock: Lock
    lock_id: str
    image: str
    """The image's ID."""
    record: Record
    verdict: Verdict
    reference: str | None
    """Where the reference came from; None when there was none."""
    date: str = field(default_factory=this_moment)
    """When the check ended."""


@dataclass(frozen=True)
class _Reference:
    record: Record
    source: str


def check_image(project: Project, name: str, file: Path | None = None) -> ImageCheck:
    """Run the smoke trainings of an image and compare them with their reference.

    ``name`` is an ID, a tag, or ``registry/repository@sha256:…``, which is pulled where the engine
    lacks it; ``file`` is a reference that goes before all others. Raises ``CheckError`` when there
    is no such image or it is not of a lock, ``LockError`` when its lock is not the one that its
    label names.
    """
    reference = _from_file(file) if file is not None else None
    image = find_image(project, name)
    _require_usable_volumes(project, name, image)
    lock, identifier = read_image_lock(project, name, image)
    record = smoke_runner(project, lock, identifier, image.id).run("Training")
    classes: set[str] = set()
    if file is None:
        reference = _published_or_pulled(project, name, image, record.host.class_, classes)
    reason = _incomparable(reference, record, classes)
    return ImageCheck(
        name=name,
        lock=lock,
        lock_id=identifier,
        image=image.id,
        record=record,
        verdict=(
            verdict_by(reference.record, record)
            if reference is not None and reason is None
            else incomparable(record, reason or "")
        ),
        reference=None if reference is None else reference.source,
    )


def _require_usable_volumes(project: Project, name: str, image: ImageInfo) -> None:
    """Warn of volumes that an image declares: they are covered, as the training must not write.

    Freezer's images declare none, but images on top of them may. Raises ``CheckError`` for one that
    holds, or is part of, what Freezer put into the image.
    """
    own = (PurePosixPath(ENVIRONMENT), PurePosixPath(FREEZER))
    for volume in map(PurePosixPath, image.volumes):
        for folder in own:
            if volume.is_relative_to(folder) or folder.is_relative_to(volume):
                raise CheckError(
                    f"{name} declares a volume over what it is to be checked for",
                    found=f"VOLUME {volume}",
                    expected=f"no volume over {folder}",
                    hint="build the image without this VOLUME",
                )
    if image.volumes:
        listed = ", ".join(image.volumes)
        project.report.warn(f"volumes of {name} are empty and read-only in this check: {listed}")


def read_image_lock(project: Project, name: str, image: ImageInfo) -> tuple[Lock, str]:
    """Return the lock that an image holds, and its ID.

    Raises ``LockError`` unless it is a lock, and the one that the image's label names.
    """
    labelled = labelled_lock(name, image.labels)
    with project.store.scratch() as scratch:
        target = scratch / "lock.tar"
        result = project.engine().run(
            image.id,
            [f"{ENVIRONMENT}/bin/python", "-I", "-S", "-c", "pass"],
            RunOptions(memory="256m", timeout=60, fetch_limit=_LARGEST_LOCK),
            fetch={LOCK_PATH: target},
        )
        if not target.exists():
            raise CheckError(
                f"the Python of {name} cannot be run",
                found=f"exit status {result.exit_code}",
                hint="see `freeze doctor`, and whether the image is for this machine",
                details=result.stderr.decode("utf-8", "replace").strip().splitlines()[-6:],
            )
        data = _only_file(name, target)
    found = lock_id(data)
    if found != labelled:
        raise LockError(
            f"the lock in {name} is not the one that its label names",
            found=found,
            expected=labelled,
            hint=_NO_RIGHT,
        )
    return parse_lock(data, f"{name}:{LOCK_PATH}"), found


def _only_file(name: str, path: Path) -> bytes:
    """Return the one regular file of an archive that came out of an image."""
    try:
        with tarfile.open(path, mode="r:") as archive:
            member = archive.next()
            stream = archive.extractfile(member) if member and member.isreg() else None
            if stream is not None:
                return stream.read()
    except (tarfile.TarError, EOFError):
        pass
    raise LockError("the image's lock is not a file", where=Where(name), hint=_NO_RIGHT)


def find_image(project: Project, name: str) -> ImageInfo:
    """Return an image of the engine, pulled where it is named by digest and not there."""
    engine = project.engine()
    if "@" not in name:
        found = engine.image(name)
        if found is None:
            raise CheckError(
                f"the engine has no image {name}",
                hint="`freeze pull registry/repository@sha256:…` fetches one; `freeze images` "
                "lists those of the engine",
            )
        return found
    found = engine.image(_address(name)) or pulled_image(project, name)
    if found is None:
        found = engine.image(pull(project, name).image)
    if found is None:
        raise CheckError(f"{name} was removed from the engine during the check", hint="try again")
    return found


def _address(name: str) -> str:
    """Return a name with a digest as engines keep it: without the tag."""
    target = parse_reference(name, HINT)
    return f"{target.registry}/{target.repository}@{target.digest}"


def _from_file(file: Path) -> _Reference:
    record = read_reference(file, str(file))
    if record is None:
        raise CheckError(f"there is no reference {file}", hint="check the path")
    return _Reference(record, str(file))


def _published_or_pulled(
    project: Project, name: str, image: ImageInfo, numerics_class: str, classes: set[str]
) -> _Reference | None:
    """Return a reference of a class; put all classes that there are references of into a set."""
    for address in _addresses(name, image):
        try:
            repository = Repository(parse_reference(address, HINT), project.config)
            subject = address.partition("@")[2]
            published = published_classes(repository, subject)
            classes.update(published)
            if numerics_class in published:
                one = read_class(repository, published[numerics_class], subject)
                return _Reference(one.record, f"the references published with {address[:-52]}")
        except FetchError as error:
            project.report.note(f"the registry was not asked for references: {error.what}")
    kept = pulled_references(project, image.id)
    classes.update(kept)
    if numerics_class not in kept:
        return None
    source = "fetched by `freeze pull`"
    return _Reference(parse_record(kept[numerics_class].read_bytes(), source), source)


def _addresses(name: str, image: ImageInfo) -> Iterator[str]:
    """Return where in registries an image is known to be, the name that was given first."""
    own = [_address(name)] if "@" in name else []
    yield from list(dict.fromkeys([*own, *image.repo_digests]))[:_MOST_NAMES]


def _incomparable(reference: _Reference | None, record: Record, classes: set[str]) -> str | None:
    """Return why a record cannot be compared; None when it can."""
    own = record.host.class_
    if reference is None:
        others = f", only of {', '.join(sorted(classes))}" if classes else ""
        return f"there is no reference of this host's numerics class {own}{others}"
    if reference.record.lock_id != record.lock_id:
        return f"the reference is of lock {short_id(reference.record.lock_id)}"
    if reference.record.host.class_ != own:
        other = reference.record.host.class_
        return f"the reference is of numerics class {other}, this host is of {own}"
    return None
