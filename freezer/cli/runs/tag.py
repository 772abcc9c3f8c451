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
        typer.Argument(metavar="NAME=VALUE...", help="Tags to set; `NAME=` removes one."),
    ],
) -> None:
    """Set tags of a run; filters find them as `tags.NAME`."""
    from freezer.flows.runs.queries import tag as change
    from freezer.output.text import printable

    found: dict[str, str | None] = {}
    for word in tags:
        name, mark, value = word.partition("=")
        if not mark or not name.isprintable() or not 0 < len(name) <= 200:
            raise RunError(
                "a tag cannot be read",
                found=word[:200],
                expected="NAME=VALUE, or NAME= to remove it",
                hint="a name has up to 200 printable characters",
            )
        found[name] = value or None
    changed, redacted = change(current.project(), run, found)
    for name in redacted:
        current.reporter().warn(f"the value of tags.{name} is a secret: recorded as ***")
    shown = ", ".join(f"{name}={value}" for name, value in sorted(changed.tags.items()))
    current.stdout.print(
        f"run {changed.id}: {printable(shown) or 'no tags'}", markup=False, highlight=False
    )
