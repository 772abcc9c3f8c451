"""``freeze policy check``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json, output_file
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


class PolicyFormat(StrEnum):
    """The formats of a policy's outcome."""

    TEXT = "text"
    JUNIT = "junit"
    SARIF = "sarif"


def check(
    env: Env = None,
    every: Annotated[bool, typer.Option("--all", help="Every environment of the project.")] = False,
    form: Annotated[
        PolicyFormat, typer.Option("--format", help="Text, JUnit XML or SARIF 2.1.0.")
    ] = PolicyFormat.TEXT,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write JUnit XML or SARIF to this file, and text to the terminal.",
            callback=output_file,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Compare environments with policy.yaml; exit 1 if one breaks a rule."""
    from freezer.flows.governance.policy import check_policy
    from freezer.output.governance.policy import document, show

    if every and env is not None:
        raise typer.BadParameter("give an environment, or --all")
    if output is not None and form is PolicyFormat.TEXT:
        raise typer.BadParameter("-o goes with --format junit or sarif")
    result = check_policy(current.project(), None if every else [env])
    if form is not PolicyFormat.TEXT:
        from freezer.output.governance.policy_formats import junit, sarif

        text = junit(result) if form is PolicyFormat.JUNIT else sarif(result)
        if output is None:
            current.stdout.file.write(text)
            raise typer.Exit(EXIT_OK if result.good else EXIT_NEGATIVE)
        from freezer.fetch.store.atomic import disk_errors, write_atomically

        with disk_errors(output.parent):
            write_atomically(output, text.encode())
    if json:
        current.emit(document(result))
    else:
        show(result, current.stdout)
    raise typer.Exit(EXIT_OK if result.good else EXIT_NEGATIVE)
