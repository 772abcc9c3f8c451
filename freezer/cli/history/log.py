"""``freeze log``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Env, Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def log(
    env: Env = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Recompute every digest; exit 1 and name what was edited or is gone."
        ),
    ] = False,
    join: Annotated[
        bool,
        typer.Option("--join", help="After a merge: make one history of those of two branches."),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="For --join: why.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """List the generations of the lock: when, who, why, what changed, checked where and how."""
    from freezer.flows.history.log import join as make_one
    from freezer.flows.history.log import log as read
    from freezer.flows.history.log import verify as hold
    from freezer.output.history.log import document, show, show_verified, verified_document

    if verify and join:
        raise typer.BadParameter("--verify changes nothing, --join does: give one of them")
    if reason is not None and not join:
        raise typer.BadParameter("--reason goes with --join")
    if join:
        make_one(current.project(), env, reason)
    if verify:
        found = hold(current.project(), env)
        if json:
            current.emit(verified_document(found))
        else:
            show_verified(found, current.stdout)
        raise typer.Exit(EXIT_NEGATIVE if found.faults else EXIT_OK)
    result = read(current.project(), env)
    if json:
        current.emit(document(result))
    else:
        show(result, current.stdout)
