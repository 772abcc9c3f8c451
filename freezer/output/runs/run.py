"""Output of `freeze run`: one line on stderr, after whatever the command printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from freezer.output.outcomes import show_outcomes
from freezer.output.text import plural, printable, size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from freezer.flows.runs.processes.jobs import JobEnd
    from freezer.flows.runs.run import RunDone

_COLOURS = {"finished": "green", "failed": "red", "interrupted": "yellow"}


def show_done(done: RunDone, project: Path, console: Console) -> None:
    """Print how the run ended, how long it took, and where its outputs are."""
    run = done.run
    seconds = run.seconds or 0.0
    colour = _COLOURS.get(run.state, "red")
    why = " (out of memory)" if run.fields.get("out-of-memory") else ""
    if run.exit_code and run.state == "failed":
        why = f" with exit code {run.exit_code}{why}"
    outputs = plural(len(run.outputs), "output file")
    total = size(sum(one.size for one in run.outputs))
    console.print(
        f"run [bold]{run.id}[/bold] [{colour}]{run.state}[/{colour}]{why} after {seconds:.1f} s, "
        f"{outputs} ({total})",
        highlight=False,
        soft_wrap=True,
    )
    if (reason := run.fields.get("slurm.reason")) is not None:
        console.print(f"  {escape(printable(str(reason)))}", highlight=False, soft_wrap=True)
    show_outcomes(done.outcomes, console)
    if run.outputs:
        shown = done.output
        if shown.is_relative_to(project):
            shown = shown.relative_to(project)
        console.print(f"outputs: {escape(str(shown))}", highlight=False, soft_wrap=True)


def show_jobs(ends: Sequence[JobEnd], total: int, console: Console) -> None:
    """Print how many runs of a sweep were made, and how many did not end well."""
    made = [one for one in ends if one.run is not None]
    failed = sum(one.exit_code != 0 for one in made)
    rest = f", {failed} of them failed or interrupted" if failed else ""
    missing = f"; {total - len(made)} not made" if len(made) < total else ""
    console.print(f"{plural(len(made), 'run')}{rest}{missing}", highlight=False)
