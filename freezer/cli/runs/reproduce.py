"""``freeze runs reproduce``."""

from __future__ import annotations

import sys

import typer

from freezer.cli.options import Json
from freezer.cli.runs.options import RunName
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


def reproduce(run: RunName, json: Json = False) -> None:
    """Make a run again, from its commit, patch, data and image; exit 1 unless it is identical."""
    from freezer.flows.runs.reproduce import reproduce as again
    from freezer.output.runs.diff import reproduced_document, show_reproduced

    found = again(current.project(), run, _show)
    if json:
        current.emit(reproduced_document(found))
    else:
        show_reproduced(found, current.stdout)
    raise typer.Exit(EXIT_OK if found.verdict == "identical" else EXIT_NEGATIVE)


def _show(stream: int, data: bytes) -> None:
    """Pass on what the training prints, to stderr: stdout is for the verdict."""
    del stream
    sys.stderr.buffer.write(data)
    sys.stderr.flush()
