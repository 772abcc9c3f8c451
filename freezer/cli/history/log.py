"""``freeze log``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freezer.cli.governance.options import KEYS_HELP, At, moment
from freezer.cli.options import Env, Json
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK

if TYPE_CHECKING:
    from freezer.flows.governance.generations import GenerationVerified


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
    keys: Annotated[
        list[Path] | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="With --verify: verify the signature of each generation too. " + KEYS_HELP,
            show_default=False,
        ),
    ] = None,
    at: At = None,
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
    if (keys or at) and not verify:
        raise typer.BadParameter("--key and --at go with --verify")
    if join:
        make_one(current.project(), env, reason)
    if verify:
        found = hold(current.project(), env)
        signed = _signatures(found.name, keys or [], at)
        if json:
            current.emit(verified_document(found, signed))
        else:
            show_verified(found, current.stdout, signed)
        faults = found.faults or any(one.fault for one in signed or ())
        raise typer.Exit(EXIT_NEGATIVE if faults else EXIT_OK)
    result = read(current.project(), env)
    if json:
        current.emit(document(result))
    else:
        show(result, current.stdout)


def _signatures(
    name: str, keys: list[Path], at: str | None
) -> tuple[GenerationVerified, ...] | None:
    if not keys:
        return None
    from freezer.flows.governance.generations import verify_generations

    return verify_generations(current.project(), name, keys, at=moment(at))
