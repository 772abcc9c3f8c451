"""``freeze sbom``: the bill of materials of an environment, from its lock alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from freezer import __version__
from freezer.check.reference import all_references
from freezer.flows.governance.licenses import read_licenses
from freezer.flows.image.current_lock import load_current_lock
from freezer.governance.sbom.parts import bill_of_materials
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.governance.sbom.model import Sbom

Format = Literal["cyclonedx", "cyclonedx-1.7", "spdx"]
"""``cyclonedx`` is version 1.6, which more tools read; SPDX is version 2.3."""
SBOM_FORMAT: Final = 1
"""Counts up when the same bill is written otherwise."""
_MEMO: Final = "sbom"


@dataclass(frozen=True)
class SbomMade:
    """A bill of materials, and what could not be read for it."""

    sbom: Sbom
    locked: Locked
    unread: tuple[str, ...]
    """Files whose license is not known because the store does not have them."""


def make_sbom(project: Project, name: str | None) -> SbomMade:
    """Return the bill of materials of an environment's lock. Needs no engine and no network.

    Raises ``LockError``, ``IntegrityError`` for a file that is no package of its kind,
    ``CheckError`` for a reference that was changed.
    """
    return _made(project, load_current_lock(project, name))


def make_bare_sbom(locked: Locked) -> SbomMade:
    """Return the components of a lock alone, without licenses and results: nothing is read."""
    sbom = bill_of_materials(
        locked.lock, locked.id, licenses={}, references=(), version=__version__
    )
    return SbomMade(sbom, locked, ())


def _made(project: Project, locked: Locked) -> SbomMade:
    read = read_licenses(locked.lock, project.store, project.report)
    if read.unread:
        project.report.warn(
            f"{len(read.unread)} files are not in the store, so their licenses are not in the "
            f"document: run `freeze fetch {locked.lock.name}` for a complete one"
        )
    sbom = bill_of_materials(
        locked.lock,
        locked.id,
        licenses=read.by_sha256,
        references=all_references(locked.folder, locked.id),
        version=__version__,
    )
    return SbomMade(sbom, locked, read.unread)


def sbom_text(project: Project, sbom: Sbom, form: Format) -> str:
    """Return a bill of materials as a document, written once for each state of the bill."""
    if form == "spdx":
        from freezer.governance.sbom.spdx import spdx_json

        return spdx_json(sbom)
    key = f"{SBOM_FORMAT} {form} {digest(repr(sbom).encode())}"
    kept = project.store.get_memo(_MEMO, key, str)
    if kept is None:
        from freezer.governance.sbom.cyclonedx import cyclonedx_json  # takes a quarter of a second

        kept = cyclonedx_json(sbom, "1.7" if form == "cyclonedx-1.7" else "1.6")
        project.store.put_memo(_MEMO, key, kept)
    return kept
