"""``freeze update``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Json, Plan, plan_bytes
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def update(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ENV] [PACKAGE[==VERSION]]...",
            help="The environment, not needed if there is only one; then what to update: "
            "Python, conda and Debian packages, base, python. Without a name: everything.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason", metavar="TEXT", help="Why; recorded in the history.", show_default=False
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help="Move the lock's cut-off, such as 2026-11-01T00:00:00Z; overrides the spec's.",
            show_default=False,
        ),
    ] = None,
    newer: Annotated[
        str | None,
        typer.Option(
            "--newer",
            metavar="PACKAGE",
            help="Update this Python package past the cut-off, which stays; needs --reason.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if more would change than is named.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would change; write nothing.")
    ] = False,
    plan: Plan = None,
    json: Json = False,
) -> None:
    """Update packages in the lock, and of all others only what that forces."""
    if newer is not None and not (reason and reason.strip()):
        raise typer.BadParameter("--newer is recorded as an exception and needs a --reason")
    from freezer.flows.update.targets import split_environment
    from freezer.flows.update.update import UpdateRequest
    from freezer.flows.update.update import update as run
    from freezer.model.spec.moment import parse_moment
    from freezer.output.lock.update import document, show

    moment = parse_moment(as_of, "--as-of") if as_of is not None else None
    env, packages = split_environment(current.folder, words or [])
    asked = UpdateRequest(packages, reason, moment, newer, strict, dry_run, plan_bytes(plan))
    result = run(current.project(), env, asked)
    if json:
        current.emit(document(result))
    else:
        show(result, current.stdout)
    raise typer.Exit(EXIT_NEGATIVE if result.refused else EXIT_OK)
