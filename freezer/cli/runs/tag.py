"""``freeze runs tag``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.runs.options import RunName
from freezer.cli.session import current
from freezer.errors import RunError


def tag(
    run: RunName,
    tags: Annotated[
        list[str],
        typer.Argument(metavar="NAME=VALUE...", help="Tags to set; `NAME=` takes one away."),
    ],
) -> None:
    """Set tags of a run; filters find them as `tags.NAME`."""
    from freezer.flows.runs.ask import tag as change

    found: dict[str, str | None] = {}
    for word in tags:
        name, mark, value = word.partition("=")
        if not mark or not name:
            raise RunError("a tag cannot be read", found=word, expected="NAME=VALUE")
        found[name] = value or None
    changed = change(current.project(), run, found)
    shown = ", ".join(f"{name}={value}" for name, value in sorted(changed.tags.items()))
    current.stdout.print(f"run {changed.id}: {shown or 'no tags'}", markup=False, highlight=False)
