"""``freeze archive prune``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.archive.options import Archive
from freezer.cli.options import Json
from freezer.cli.session import current


def prune(
    archive: Archive,
    env: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENV]",
            help="The environment; by default each that this project has.",
            show_default=False,
        ),
    ] = None,
    keep_last: Annotated[
        int | None,
        typer.Option(
            "--keep-last", min=1, metavar="N", help="Keep the newest N versions of each.",
            show_default=False,
        ),
    ] = None,
    keep_days: Annotated[
        int | None,
        typer.Option(
            "--keep-days", min=0, max=100_000, metavar="D",
            help="Keep versions of the last D days.", show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Remove nothing; print what would be removed.")
    ] = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Remove old versions, but for those that the current lock or a run needs.

    Without --keep-last and --keep-days, `retention` in policy.yaml says what to keep.
    """
    from freezer.flows.governance.archive.prune import prune_archive
    from freezer.governance.archive.retention import Retention
    from freezer.output.governance.archive import pruned_document, show_pruned

    rule = Retention(keep_last, keep_days)
    done = prune_archive(current.project(), archive, env, rule, dry_run=dry_run)
    if json:
        current.emit(pruned_document(done))
    else:
        show_pruned(done, current.stdout)
