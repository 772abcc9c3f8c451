"""``freeze inventory``."""

from __future__ import annotations

from freezer.cli.options import Env, Json
from freezer.cli.session import current


def inventory(env: Env = None, json: Json = False) -> None:
    """List the numeric libraries in the image: file, owner, version, and what loads them."""
    from freezer.flows.image.inventory import inventory as find
    from freezer.output.image.inventory import document, show

    found = find(current.project(), env)
    if json:
        current.emit(document(found))
    else:
        show(found, current.stdout)
