"""``freeze runs tag``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.runs.shared.options import RunName
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
    from freezer.flows.runs.queries import tag as change
    from freezer.output.text import printable

    found: dict[str, str | None] = {}
    for word in tags:
        name, mark, value = word.partition("=")
        if not mark or not name.isprintable() or not 0 < len(name) <= 200:
            raise RunError("a tag cannot be read", found=word[:200], expected="NAME=VALUE")
        found[name] = value or None
    changed = change(current.project(), run, found)
    shown = ", ".join(f"{name}={value}" for name, value in sorted(changed.tags.items()))
    current.stdout.print(
        f"run {changed.id}: {printable(shown) or 'no tags'}", markup=False, highlight=False
    )
