"""``freeze export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json, text_output
from freezer.cli.session import current


def export(
    env: Env = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it there instead of to stdout.",
            callback=text_output, show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Print the Python packages of the lock as a pylock.toml, for pip and uv."""
    from freezer.fetch.store.atomic import disk_errors, write_atomically
    from freezer.flows.image.pylock import export_pylock

    text = export_pylock(current.project(), env)
    if output is not None:
        with disk_errors(output.parent):
            write_atomically(output, text.encode())
    if json:
        current.emit({"file": str(output) if output else None, "text": text})
    elif output is None:
        current.stdout.print(text, markup=False, highlight=False, soft_wrap=True, end="")
    else:
        current.stdout.print(f"Written to {output}", markup=False, highlight=False)
