"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freezer.cli.session import current
from freezer.errors import HostError, Where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.output.junit import Suite


def _json(value: bool) -> bool:
    current.json = value
    return value


Env = Annotated[
    str | None,
    typer.Argument(
        metavar="ENV",
        help="The environment; not needed if there is only one.",
        show_default=False,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON document on stdout.", callback=_json, is_eager=True
    ),
]


def or_stdout(path: Path | None) -> Path | None:
    """Return None, which is the standard output, for ``-``."""
    return None if path == Path("-") else path


def text_output(path: Path | None) -> Path | None:
    """Return a file that can be made there; None for ``-``, the standard output."""
    return output_file(or_stdout(path))


def output_file(path: Path | None) -> Path | None:
    """Refuse a file that cannot be made there, before the work that goes into it."""
    if path is None:
        return None
    if path == Path("-"):
        raise HostError(
            "this command writes a file, not to the standard output",
            where=Where("-"),
            expected="a file's name",
        )
    if path.is_dir():
        raise HostError("this is a folder", where=Where(str(path)), expected="a file's name")
    if not path.parent.is_dir():
        raise HostError(
            f"there is no folder {path.parent}", where=Where(str(path)), hint="make it first"
        )
    return path


Junit = Annotated[
    Path | None,
    typer.Option(
        "--junit",
        metavar="FILE",
        help="Write trainings and expectations as tests (JUnit XML) too.",
        callback=output_file,
        show_default=False,
    ),
]


Plan = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="The plan that this follows; kept with the generation.",
        show_default=False,
    ),
]


def plan_bytes(path: Path | None) -> bytes | None:
    """Return the file of a plan that can be used. Raises ``PlanError``."""
    if path is None:
        return None
    from freezer.flows.runs.plan.read import plan_file

    return plan_file(path).data


def write_junit(path: Path | None, suites: Sequence[Suite]) -> None:
    """Write test suites where a file for them was named."""
    if path is not None:
        from freezer.fetch.store.atomic import disk_errors, write_atomically
        from freezer.output.junit import junit

        with disk_errors(path.parent):
            write_atomically(path, junit(suites))


def generation_name(text: str) -> int | str:
    """Return a generation's number, or the first digits of a lock ID (at least 4)."""
    return int(text) if text.isdecimal() and len(text) < 8 else text.lower()
