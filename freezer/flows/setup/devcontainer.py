"""`freeze init --devcontainer`: the image of an environment for editors that open containers."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import HostError, SpecError, Where
from freezer.fetch.store.atomic import write_atomically
from freezer.flows.data.sets import data_sets
from freezer.flows.project.environment import load_environment, load_locked
from freezer.image.layout import USER
from freezer.inside.freezer_inside.determinism import SEED, thread_counts

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.data.sets import DataSet
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project

FILE: Final = ".devcontainer/devcontainer.json"
PLACES: Final = (FILE, ".devcontainer.json")
"""Where editors look for one."""
CODE: Final = "/code"
_OUTPUT: Final = f"{CODE}/.freezer/shell"
_HERE: Final = "${localWorkspaceFolder}"
_IN_MOUNTS: Final = frozenset(',"')
"""Characters that separate and quote the parts of a mount."""


def write_devcontainer(project: Project, name: str | None) -> Path:
    """Write the file for a locked environment; an existing one is never replaced.

    Raises ``HostError`` where there is one, and ``SpecError`` for a data set whose path cannot
    be mounted.
    """
    for place in PLACES:
        if os.path.lexists(project.root / place):
            raise HostError(
                f"{place} is there already",
                where=Where(str(project.root / place)),
                hint="edit it, or remove it first: it is never replaced",
            )
    environment = load_environment(project.root, name)
    load_locked(project.root, environment.name)
    sets = data_sets(project, environment.name) if environment.spec.data else []
    for one in sets:
        if one.pattern is not None:
            project.report.warn(f"data set {one.name}: the editor sees all of {one.root}")
    document = devcontainer(project.root, environment, sets)
    path = project.root / FILE
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, json.dumps(document, indent=2).encode() + b"\n")
    return path


def devcontainer(root: Path, environment: Environment, sets: list[DataSet]) -> dict[str, Any]:
    """Return the document: the image that `freeze build` tags, mounted as in `freeze shell`."""
    spec = environment.spec
    threads = spec.resources.threads or spec.resources.cpus
    return {
        "name": environment.name,
        "image": f"{environment.name}:latest",
        "initializeCommand": ["freeze", "build", environment.name],
        "workspaceMount": f"source={_HERE},target={CODE},type=bind",
        "workspaceFolder": CODE,
        "mounts": [_mount(root, one) for one in sets],
        "containerEnv": {
            SEED: str(spec.determinism.seed),
            "FREEZER_DATA": "/data",
            "FREEZER_OUTPUT": _OUTPUT,
            **(thread_counts(threads) if threads else {}),
        },
        "postCreateCommand": ["mkdir", "-p", _OUTPUT],
        "remoteUser": USER,
        "updateRemoteUserUID": True,
        **({"runArgs": ["--gpus", "all"]} if spec.resources.gpus else {}),
    }


def _mount(root: Path, one: DataSet) -> str:
    """Return a read-only mount; sources inside the project are relative to it."""
    inside = one.root.is_relative_to(root.resolve())
    place = f"{_HERE}/{one.root.relative_to(root.resolve())}" if inside else str(one.root)
    if _IN_MOUNTS & set(place) or not place.isprintable():
        raise SpecError(
            f"the path of data set {one.name!r} cannot stand in a mount",
            where=one.where,
            found=place,
            expected="a path without commas and quotes",
        )
    return f"source={place},target=/data/{one.name},type=bind,readonly"
