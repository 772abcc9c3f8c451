"""The image of an earlier lock: the recorded one, from the engine, a registry, or a rebuild.

Building and pulling are imported where they are needed: a dry run needs neither, and is quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal

from freezer.errors import CheckError, FreezerError
from freezer.image.layout import LOCK_LABEL

if TYPE_CHECKING:
    from freezer.engine.interface import ImageInfo
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project

How = Literal["here", "pulled", "rebuilt"]


@dataclass(frozen=True)
class EarlierImage:
    """An image of an earlier lock."""

    info: ImageInfo
    how: How
    on_record: bool | None
    """Whether the history records its ID; None where it records none."""
    seconds: float


def image_here(project: Project, locked: Locked, recorded: frozenset[str]) -> ImageInfo | None:
    """Return the image if the engine holds it: the one on record, or a verified one of the lock."""
    for one in sorted(recorded):
        found = project.engine().image(one)
        if found is not None and found.labels.get(LOCK_LABEL) == locked.id:
            return found
    if recorded:
        return None
    from freezer.flows.image.build import verified_image

    return verified_image(project, locked)


def known_place(project: Project, recorded: frozenset[str]) -> str | None:
    """Return where an image on record was pushed to or pulled from; None when none is known."""
    from freezer.flows.registry.references import place_of

    places = (place_of(project, one) for one in sorted(recorded))
    return next((one for one in places if one is not None), None)


def obtain_image(project: Project, locked: Locked, recorded: frozenset[str]) -> EarlierImage:
    """Return the image of an earlier lock: from the engine, from a registry, or rebuilt.

    ``recorded`` are the image IDs in the history. From a registry only such an image is taken. Tags
    other than the lock's own stay where they are. Raises what fetching, building and the engine
    raise; whether a rebuilt image is the one on record is for the caller to judge.
    """
    started = monotonic()
    here = image_here(project, locked, recorded)
    if here is not None:
        return EarlierImage(here, "here", bool(recorded) or None, monotonic() - started)
    pulled = _pulled(project, locked, recorded)
    if pulled is not None:
        return EarlierImage(pulled, "pulled", True, monotonic() - started)
    from freezer.flows.image.build import build_locked

    built = build_locked(project, locked, latest=False)
    info = project.engine().image(built.image)
    if info is None:
        raise CheckError("the image is gone since it was built", hint="run the command again")
    on_record = built.image in recorded if recorded else None
    return EarlierImage(info, "rebuilt", on_record, monotonic() - started)


def _pulled(project: Project, locked: Locked, recorded: frozenset[str]) -> ImageInfo | None:
    from freezer.flows.registry.pull import pull

    place = known_place(project, recorded)
    if place is None:
        return None
    try:
        image = pull(project, place).image
    except FreezerError as error:
        project.report.note(f"{place} cannot be pulled ({error.what}): building the image instead")
        return None
    info = project.engine().image(image)
    if image not in recorded or info is None or info.labels.get(LOCK_LABEL) != locked.id:
        project.report.warn(f"{place} is not the recorded image: building it instead")
        return None
    return info
