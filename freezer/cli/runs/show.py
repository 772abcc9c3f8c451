"""``freeze runs show``."""

from __future__ import annotations

from freezer.cli.options import Json
from freezer.cli.runs.shared.options import RunName
from freezer.cli.session import current


def show(run: RunName = "latest", json: Json = False) -> None:
    """Show one run in full: what decided its results, and what came out; or a detached sweep."""
    from freezer.flows.runs.processes.sweeps import get_sweep, is_sweep, sweep_document
    from freezer.flows.runs.queries import get
    from freezer.output.runs.runs import run_document, show_run
    from freezer.output.runs.sweeps import show_sweep

    if is_sweep(run):
        sweep = get_sweep(current.project(), run)
        if json:
            current.emit(sweep_document(sweep))
        else:
            show_sweep(sweep, current.stdout)
        return

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
