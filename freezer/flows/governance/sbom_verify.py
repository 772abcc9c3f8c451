"""``freeze sbom --verify``: a bill of materials compared with its lock, and with the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import CheckError, HostError, Where
from freezer.flows.governance.read_image import read_image
from freezer.flows.governance.sbom import make_sbom, sbom_text
from freezer.flows.image.build import verified_image
from freezer.governance.image_files import Installed, ownership
from freezer.governance.sbom.compare import compare, format_of

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.engine.interface import ImageInfo
    from freezer.flows.governance.sbom import SbomMade
    from freezer.flows.project.project import Project
    from freezer.governance.image_files import Ownership
    from freezer.governance.sbom.compare import SbomDifference
    from freezer.governance.sbom.model import Sbom

_LARGEST: Final = 256 << 20
"""Bytes of a document."""
_ECOSYSTEMS: Final = {"base": "debian", "debian": "debian", "conda": "conda", "pip": "pip"}


@dataclass(frozen=True)
class ImageCompared:
    """What an image holds, beside what the bill of materials lists."""

    image: str
    of_lock: bool
    """Whether it is the very image that the lock gives: its ID covers every byte."""
    files: int
    owned: int
    """Files that belong to exactly one component."""
    made: int
    """Files of none: byte code of the base, caches, settings, Freezer's own."""
    unlisted: tuple[Installed, ...]
    """Packages in the image that the document does not list."""
    absent: tuple[Installed, ...]
    """Packages that the document lists and the image does not hold."""
    changed: tuple[str, ...]
    """Files with another content than their package ships."""
    contested: tuple[str, ...]
    """Files of two packages."""

    @property
    def same(self) -> bool:
        """Whether the image holds what is listed, unchanged."""
        wrong = self.unlisted or self.absent or self.changed or self.contested
        return self.of_lock and not wrong


@dataclass(frozen=True)
class SbomVerified:
    """The outcome of a verification."""

    made: SbomMade
    difference: SbomDifference
    image: ImageCompared

    @property
    def good(self) -> bool:
        """Whether document, lock and image agree."""
        return self.difference.same and self.image.same


def verify_sbom(
    project: Project, name: str | None, path: Path, image: str | None = None
) -> SbomVerified:
    """Compare a document with the lock and with an image, by default that of the lock.

    Raises ``HostError`` and ``SpecError`` for a file that is no such document, ``CheckError`` where
    there is no image.
    """
    text = _text(path)
    form = format_of(text, str(path))
    made = make_sbom(project, name)
    difference = compare(text, sbom_text(project, made.sbom, form))
    found, of_lock = _image(project, made, image)
    owners = ownership(read_image(project, found.id))
    return SbomVerified(made, difference, _compared(found, owners, made.sbom, of_lock=of_lock))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise HostError("this file is too large", where=Where(str(path)), expected="an SBOM")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise HostError("this file is not text in UTF-8", where=Where(str(path))) from None
    except OSError as error:
        raise HostError(
            "this file cannot be read", where=Where(str(path)), found=error.strerror
        ) from None


def _image(project: Project, made: SbomMade, reference: str | None) -> tuple[ImageInfo, bool]:
    own = verified_image(project, made.locked)
    if reference is None:
        if own is None:
            raise CheckError(
                f"the engine holds no verified image of lock {made.locked.id[:12]}",
                hint=f"run `freeze build {made.locked.lock.name}`",
            )
        return own, True
    found = project.engine().image(reference)
    if found is None:
        raise CheckError(
            f"the engine holds no image {reference}", hint="list its images with `freeze images`"
        )
    return found, own is not None and found.id == own.id


def _compared(image: ImageInfo, owners: Ownership, sbom: Sbom, *, of_lock: bool) -> ImageCompared:
    listed = {
        Installed(_ECOSYSTEMS[kind], part.name, part.version)
        for part in sbom.parts
        if part.in_image and (kind := part.ref.partition(":")[0]) in _ECOSYSTEMS
    }
    return ImageCompared(
        image=image.id,
        of_lock=of_lock,
        files=len(owners.owner) + len(owners.unowned),
        owned=len(owners.owner),
        made=len(owners.unowned),
        unlisted=tuple(sorted(owners.packages - listed)),
        absent=tuple(sorted(listed - owners.packages)),
        changed=(*owners.changed, *owners.missing),
        contested=owners.contested,
    )
