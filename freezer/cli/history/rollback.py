"""``freeze rollback``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json, generation_name
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def rollback(
    env: Env = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="N",
            help="The generation, by number or the first digits of its lock ID; else the last "
            "one before the current whose check was good.",
            show_default=False,
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE",
            help="Take what its image is made from out of this bundle; without --to, go back to "
            "the lock that it holds.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done; touch nothing.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Go back although the check is not good; needs --reason."),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason", metavar="TEXT", help="Why; kept in the history.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make an earlier lock current again: verified, checked on this host, then in one step."""
    if bundle is not None and dry_run:
        raise typer.BadParameter("--dry-run touches nothing, --bundle fills the store")
    if force and not (reason and reason.strip()):
        raise typer.BadParameter("--force is recorded as a deviation and needs a --reason")
    from freezer.output.history.rollback import document, show

    target = generation_name(to) if to is not None else None
    if bundle is not None:
        from freezer.flows.image.bundle import take_past_bundle

        env, held = take_past_bundle(current.project(), bundle, env)
        target = held if target is None else target
    if dry_run:
        from freezer.flows.rollback.plan import plan_rollback

        done = plan_rollback(current.project(), env, target)
    else:
        from freezer.flows.rollback.rollback import rollback as run

        done = run(current.project(), env, to=target, force=force, reason=reason)
    if json:
        current.emit(document(done))
    else:
        show(done, current.stdout)
    raise typer.Exit(EXIT_OK if dry_run or done.done else EXIT_NEGATIVE)
