"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from freezer.cli.session import current


def _json(value: bool) -> bool:
    current.json = value
    return value


Env = Annotated[
    str | None,
    typer.Argument(
        metavar="ENV",
        help="The environment; not needed where there is only one.",
        show_default=False,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON document on stdout.", callback=_json, is_eager=True
    ),
]


def generation_name(text: str) -> int | str:
    """Return a generation's number, or the first digits of a lock ID (at least 4)."""
    return int(text) if text.isdecimal() and len(text) < 8 else text.lower()
