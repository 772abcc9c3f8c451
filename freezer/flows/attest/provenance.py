"""``freeze build --provenance``: the provenance of an image that was just built, unsigned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.flows.governance.attest import make_provenance
from freezer.flows.governance.key_files import write_file

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.image.build import Built
    from freezer.flows.project.project import Project


def write_provenance(
    project: Project, built: Built, path: Path, revision: str | None = None
) -> None:
    """Write an image's provenance as an in-toto statement. Raises ``HostError``.

    ``revision``: the commit that the image is labelled with.
    """
    payload, _, _ = make_provenance(project, built.locked, image=built.image, revision=revision)
    write_file(path, payload)
