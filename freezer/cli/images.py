"""``freeze images``."""

from __future__ import annotations

from freezer.cli.options import Env, Json
from freezer.cli.session import current


def images(env: Env = None, json: Json = False) -> None:
    """List the images of locks in the engine: size, what they share, what is their own."""
    from freezer.flows.images import images as find
    from freezer.output.images import document, show

    found = find(current.workshop(), env)
    if json:
        current.emit(document(found))
    else:
        show(found, current.stdout)
