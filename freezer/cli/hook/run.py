"""``freeze hook run``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


class HookPart(StrEnum):
    """What a hook compares."""

    LOCK = "lock"
    POLICY = "policy"


def run(
    part: Annotated[
        HookPart | None,
        typer.Argument(metavar="[lock|policy]", help="By default both.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Check environments with staged files; exit 1 if their commit should wait."""
    from freezer.flows.ci.hook import run_hook
    from freezer.output.text import shown

    done = run_hook(current.project(), part.value if part is not None else None)
    if json:
        current.emit(done)
    for problem in done.problems:
        current.stderr.print(
            shown(f"{problem.environment}: {problem.text}"),
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    raise typer.Exit(EXIT_NEGATIVE if done.problems else EXIT_OK)
