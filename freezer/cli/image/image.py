"""``freeze image``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json, output_file
from freezer.cli.session import current


def image(
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", help="The file to write.", callback=output_file
        ),
    ],
    env: Env = None,
    json: Json = False,
) -> None:
    """Write the image as an OCI layout, which skopeo, podman, containerd and Docker load."""
    from freezer.flows.image.export import export
    from freezer.output.text import size

    done = export(current.project(), env, output)
    if json:
        facts = {"image": done.built.image, "manifest": done.manifest}
        current.emit({**facts, "file": str(done.path), "bytes": done.size})
        return
    text = f"image {done.built.image} written to {done.path} ({size(done.size)})"
    name = done.built.locked.lock.name
    current.stdout.print(f"{name}: {text}", highlight=False, soft_wrap=True, markup=False)
    current.stdout.print(f"  manifest {done.manifest}", highlight=False, soft_wrap=True)
