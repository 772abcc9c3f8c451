"""Output of `freeze runs` on detached sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.markup import escape

from freezer.output.text import plural, printable, show_rows

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.runs.processes.sweeps import Sweep

HOW: Final = "`freeze runs logs -f ID` follows it, `freeze runs stop ID` ends it"


def sweep_line(sweep: Sweep) -> str:
    """Return one line on the progress of a sweep."""
    made = f"{len(sweep.begun)} of {plural(sweep.total, 'run')} started"
    failed = sum(bool(one.exit_code) for one in sweep.runs)
    more = f", {failed} failed or interrupted" if failed else ""
    return f"{sweep.id}: {escape(printable(sweep.state))}, {made}{more}"


def show_sweep(sweep: Sweep, console: Console) -> None:
    """Print the progress of a sweep, its command, and each run that was started."""
    console.print(sweep_line(sweep), highlight=False)
    ended = "" if sweep.ended is None else f" to {sweep.ended}"
    console.print(f"  {sweep.started}{ended}", highlight=False)
    command = escape(printable(" ".join(sweep.command)))
    console.print(f"  {command}", highlight=False, soft_wrap=True)
    rows = [
        (
            f"  {one.run or 'not started'}",
            escape(printable(one.label)),
            "" if one.exit_code is None else f"exit {one.exit_code}",
        )
        for one in sweep.runs
    ]
    if rows:
        show_rows(rows, console)
