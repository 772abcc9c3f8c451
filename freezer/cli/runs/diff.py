"""``freeze runs diff``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import RunError


def diff(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN RUN...", help="Two runs; or more, for what varies among them."),
    ],
    json: Json = False,
) -> None:
    """Say why two runs differ, likeliest cause first, and where their results part."""
    from freezer.flows.runs.diff import diff as compare
    from freezer.flows.runs.diff import several
    from freezer.output.runs.diff import diff_document, several_document, show_diff, show_several

    if len(runs) < 2:
        raise RunError("two runs are needed to compare", hint="`freeze runs list` shows them")
    if len(runs) == 2:
        found = compare(current.project(), *runs)
        if json:
            current.emit(diff_document(found))
        else:
            show_diff(found, current.stdout)
        return
    listed, fields = several(current.project(), runs)
    if json:
        current.emit(several_document(listed, fields))
    else:
        show_several(listed, fields, current.stdout)
