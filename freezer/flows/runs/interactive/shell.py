"""`freeze shell`: an interactive container with a run's mounts; nothing is recorded."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from freezer.engine.interface import Mount
from freezer.errors import RunError
from freezer.flows.data.sets import data_sets, take
from freezer.flows.project.environment import load_environment, load_locked
from freezer.flows.runs.data_mounts import data_mounts
from freezer.flows.runs.folders import FOLDER, VIEWS, folder
from freezer.flows.runs.prepare import require_image
from freezer.flows.runs.request import CODE, DATA, RECORD, Folders, HostSide, RunRequest, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.engine.interface import RunOptions
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project

SHELL: Final = ("/bin/sh", "-c", "command -v bash >/dev/null && exec bash; exec sh")
OUTPUT_FOLDER: Final = "shell"
"""In the project's folder of records: mounted at ``/output``."""


def shell(
    project: Project,
    name: str | None,
    command: Sequence[str],
    *,
    port: int | None,
    terminal: bool,
    gpus: bool | None = None,
) -> int:
    """Open the container that runs get, with the code writable; return the exit code.

    With ``port`` a server in it that listens on all addresses is reached on 127.0.0.1 of the
    engine's host, and the container has a network. With ``terminal`` stdin is one.
    """
    if port is not None and not 0 < port < 1 << 16:
        raise RunError("this is not a port", found=str(port), expected="a number from 1 to 65535")
    environment = load_environment(project.root, name)
    locked = load_locked(project.root, name)
    image = require_image(project, locked)
    engine = project.engine()
    host = HostSide(
        cpus=engine.info.cpus,
        gpus=bool(gpus),
        fingerprint=False,
        rootless=engine.info.rootless,
    )
    with TemporaryDirectory(prefix="shell-", dir=folder(project)) as views:
        confined = _confined(project, environment, host, Path(views) / VIEWS)
        if port is not None:
            confined = replace(confined, ports=(port,), network="bridge")
        confined = replace(confined, stdin=True, tty=terminal)
        return engine.run_by_hand(image.id, list(command or SHELL), confined)


def _confined(
    project: Project, environment: Environment, host: HostSide, views: Path
) -> RunOptions:
    output = folder(project) / OUTPUT_FOLDER
    output.mkdir(exist_ok=True)
    named = data_sets(project, environment.name) if environment.spec.data else []
    sets = [(one, take(project, one)) for one in named]
    found = options(
        environment.spec,
        RunRequest((), gpus=host.gpus),
        data_mounts(project, sets, DATA, views),
        folders=Folders(code=project.root, output=output, record=output),
        host=host,
    )
    mounts = [
        replace(one, read_only=False) if one.target == CODE else one
        for one in found.mounts
        if one.target != RECORD
    ]
    # What was recorded stays out of reach of a hand that slips.
    mounts.append(Mount(str(project.root / FOLDER), f"{CODE}/{FOLDER}"))
    term = {name: os.environ[name] for name in ("TERM", "COLORTERM") if name in os.environ}
    return replace(found, mounts=mounts, environment={**found.environment, **term})
