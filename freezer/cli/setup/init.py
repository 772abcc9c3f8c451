"""``freeze init``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def init(
    name: Annotated[
        str | None,
        typer.Option("--name", help="The environment's name; by default the project's."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="IMAGE", help="The base image, such as python:3.12-slim."),
    ] = None,
    bootstrap: Annotated[
        str | None,
        typer.Option(
            "--bootstrap",
            metavar="SUITE",
            help="Make the base from this Debian suite's packages instead; needs no registry.",
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option("--python", metavar="MINOR", help="The minor version, such as 3.12."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing spec.")] = False,
    devcontainer: Annotated[
        bool,
        typer.Option(
            "--devcontainer",
            help="Write the dev container file of a locked environment (--name) instead.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Write a first freeze.yaml from the requirements, pyproject.toml or environment.yml here."""
    from freezer.flows.setup.init import init as write

    if devcontainer:
        from freezer.flows.setup.devcontainer import write_devcontainer

        path = write_devcontainer(current.project(), name)
        if json:
            current.emit({"file": str(path)})
        else:
            current.stdout.print(f"Written to {path.relative_to(current.folder)}", highlight=False)
        return
    if base is not None and bootstrap is not None:
        raise typer.BadParameter("--base and --bootstrap are two ways to say the same thing")
    written = write(
        current.start, name=name, base=base, bootstrap=bootstrap, python=python, force=force
    )
    if json:
        current.emit({"file": str(written.path), "notes": written.notes, "text": written.text})
        return
    for note in written.notes:
        current.reporter().note(f"note: {note}")
    current.stdout.print(written.text, markup=False, highlight=False, soft_wrap=True, end="")
    current.stdout.print(f"\nWritten to {written.path.name}. Next: freeze lock", highlight=False)
