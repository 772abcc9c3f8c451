"""``freeze data diff``."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.data.options import EnvOption
from freezer.cli.options import Json
from freezer.cli.session import current
from freezer.errors import DataError


def diff(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set of the spec.")],
    since: Annotated[
        str | None,
        typer.Argument(
            metavar="[DIGEST]",
            help="A recorded state, by the first digits of its digest; the newest by default.",
        ),
    ] = None,
    env: EnvOption = None,
    json: Json = False,
) -> None:
    """List which files were added, removed, changed or moved since a recorded state."""
    from freezer.flows.data.status import diff as compare
    from freezer.output.data.status import diff_document, show_diff

    found = compare(current.project(), env, name, since)
    if found is None:
        raise DataError(
            f"no state of {name!r} is recorded, so there is nothing to compare with",
            hint=f"run `freeze data record {name}` now; `freeze run` records as well",
        )
    if json:
        current.emit(diff_document(found))
    else:
        show_diff(found, current.stdout)
