"""``freeze runs show``."""

from __future__ import annotations

from freezer.cli.options import Json
from freezer.cli.runs.shared.options import RunName
from freezer.cli.session import current


def show(run: RunName = "latest", json: Json = False) -> None:
    """Show one run in full: what decided its results, and what came out."""
    from freezer.flows.runs.ask import get
    from freezer.output.runs.runs import run_document, show_run

    found, series = get(current.project(), run)
    if json:
        points = {
            name: {
                "steps": [*one.steps],
                "times": [*one.times],
                "values": [value.hex() for value in one.values],
            }
            for name, one in series.items()
        }
        current.emit({**run_document(found), "series": points})
    else:
        show_run(found, series, current.stdout)
