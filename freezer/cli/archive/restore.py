"""``freeze archive restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def restore(
    archive: Annotated[Path, typer.Argument(metavar="DIR", help="The archive.")],
    env: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")],
    version: Annotated[
        str | None,
        typer.Option(
            "--version", metavar="VN", help="Such as v1; by default the newest.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Bring an environment into this project, with every file: it builds without a network."""
    from freezer.flows.governance.archive import restore_archive
    from freezer.model.lockfile import short_id

    lock_id, files = restore_archive(current.project(), archive, env, version)
    if json:
        current.emit({"environment": env, "lock-id": lock_id, "files": files})
        return
    current.stdout.print(
        f"{env}: lock {short_id(lock_id)} restored, {files} files; next: freeze build {env}",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
