"""`freeze data export`: a data set described for others."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freezer.data.croissant import About, croissant_bytes
from freezer.data.snapshot import members_of
from freezer.errors import DataError
from freezer.flows.data.sets import data_sets, require_expected, take

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class Exported:
    """The description of a data set."""

    name: str
    digest: str
    files: int
    left_out: int
    """Links and empty folders, which the format has no form for."""
    data: bytes


def export_croissant(
    project: Project, env: str | None, name: str, about: About, folder: Path | None = None
) -> Exported:
    """Return a data set described in Croissant 1.0, with the SHA-256 of each file.

    Where ``about`` has no URL, files are named relative to ``folder``, the one that the description
    is for; without one, relative to the set's own.

    Raises ``DataError`` for a set without files, and for one that is not as the spec pins it.
    """
    [one] = data_sets(project, env, (name,))
    now = take(project, one)
    require_expected(one, now.digest)
    members = members_of(now, project.store)
    files = sum(member.kind == "f" for member in members)
    if not files:
        raise DataError(f"data set {name!r} has no files to describe", where=one.where)
    left_out = len(members) - files
    if left_out:
        project.report.warn(
            f"{left_out} links or empty folders of {name} are not in the description: "
            "Croissant has no form for them"
        )
    if folder is not None:
        root = one.root if one.root.is_dir() else one.root.parent
        about = replace(about, folder=os.path.relpath(root, os.path.realpath(folder)))
    data = croissant_bytes(name, now.digest, members, about)
    return Exported(name, now.digest, files, left_out, data)
