"""``freeze images``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Env, Json
from freezer.cli.session import current


def images(
    env: Env = None,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Remove images of this project that no lock or generation needs, and "
            "unused bases.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --prune: only print what would be removed.")
    ] = False,
    json: Json = False,
) -> None:
    """List the images of locks in the engine: size, what they share, what is their own."""
    if dry_run and not prune:
        raise typer.BadParameter("--dry-run goes with --prune")
    if prune:
        if env is not None:
            raise typer.BadParameter("--prune is for the whole project; leave out ENV")
        _prune(dry=dry_run, as_json=json)
        return
    from freezer.flows.image.images import images as find
    from freezer.output.image.images import document, show

    found = find(current.project(), env)
    if json:
        current.emit(document(found))
    else:
        show(found, current.stdout)


def _prune(*, dry: bool, as_json: bool) -> None:
    from freezer.flows.image.prune import prune
    from freezer.output.image.images import pruned_document, show_pruned

    done = prune(current.project(), dry=dry)
    if as_json:
        current.emit(pruned_document(done))
    else:
        show_pruned(done, current.stdout)
