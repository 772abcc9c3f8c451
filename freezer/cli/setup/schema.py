"""``freeze schema``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.session import current


def schema(
    plan: Annotated[bool, typer.Option("--plan", help="The schema of a plan of runs.")] = False,
) -> None:
    """Print the JSON schema of freeze.yaml, with which editors complete and validate it."""
    if plan:
        from freezer.model.record.plan import plan_schema

        current.emit(plan_schema())
        return
    from freezer.frameworks import trainings
    from freezer.model.spec.schema import spec_schema

    current.emit(spec_schema(trainings()))
