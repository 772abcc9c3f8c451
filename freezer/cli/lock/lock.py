"""``freeze lock``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.options import Env, Json, Plan, plan_bytes
from freezer.cli.session import current


def lock(
    env: Env = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Start afresh instead of keeping locked versions.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Write nothing; exit 1 if the lock no longer satisfies the spec."
        ),
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help="Consider nothing newer, such as 2026-11-01T00:00:00Z; overrides the spec's.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason", metavar="TEXT", help="Why; recorded in the history.", show_default=False
        ),
    ] = None,
    plan: Plan = None,
    json: Json = False,
) -> None:
    """Resolve the spec and write the lock: lockfiles/ENV/freeze.lock.yaml."""
    from freezer.flows.lock.lock import check_lock
    from freezer.flows.lock.lock import lock as write_lock
    from freezer.model.spec.moment import parse_moment
    from freezer.output.lock.lock import document, show, show_checked

    moment = parse_moment(as_of, "--as-of") if as_of is not None else None
    if check and reason is not None:
        raise typer.BadParameter("--check writes nothing, so there is nothing to give a --reason")
    if check and plan is not None:
        raise typer.BadParameter("--check writes nothing, so there is nothing to keep a --plan by")
    if check and upgrade:
        raise typer.BadParameter("--check writes nothing, so there is nothing to --upgrade")
    if check:
        locked = check_lock(current.project(), env, as_of=moment)
        if json:
            current.emit(document(locked))
        else:
            show_checked(locked, current.stdout)
        return
    result = write_lock(
        current.project(),
        env,
        upgrade=upgrade,
        as_of=moment,
        reason=reason,
        plan=plan_bytes(plan),
    )
    if json:
        current.emit(
            {
                **document(result.locked),
                "changed": result.changed,
                "changes": result.changes,
                "numbers": result.numbers,
            }
        )
    else:
        show(result, current.folder, current.stdout)
