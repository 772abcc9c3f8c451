"""``freeze hook install``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def install(
    force: Annotated[
        bool, typer.Option("--force", help="Replace another hook; it is kept under another name.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the repository's pre-commit hook; another one is never replaced silently."""
    from freezer.flows.ci.hook import install_hook

    done = install_hook(current.project(), force=force)
    if json:
        current.emit({"file": done.path, "already": done.already, "kept": done.kept})
        return
    word = "is there already" if done.already else "written"
    kept = f"; the hook before is now {done.kept.name}, and no longer runs" if done.kept else ""
    current.stdout.print(
        f"{done.path}: {word}; it runs `freeze hook run` before each commit{kept}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
