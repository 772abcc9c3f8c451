"""``freeze push``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current


def push(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="[ENV] REFERENCE",
            help="The environment, not needed if there is only one; and the destination: "
            "registry/repository:tag.",
            show_default=False,
        ),
    ],
    json: Json = False,
) -> None:
    """Push the verified image, its references and documents to a registry; send what it lacks."""
    from freezer.flows.attest.push import push as run
    from freezer.output.image.push import pushed_document, show_pushed

    if len(names) > 2:
        raise typer.BadParameter("give an environment and where to push it, nothing more")
    env = names[0] if len(names) == 2 else None
    done = run(current.project(), env, names[-1])
    if json:
        current.emit(pushed_document(done))
    else:
        show_pushed(done, current.stdout)
