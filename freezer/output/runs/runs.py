"""Output of `freeze runs`: tables, one run in full, documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.record.run import Digest, Time, encode
from freezer.output.text import plural, printable, show_rows, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

    from freezer.flows.runs.queries import Found
    from freezer.flows.runs.summary import Group, Spread
    from freezer.ledger.series import Points
    from freezer.model.record.run import Run, Value

LONGEST = 200
"""Characters of a value in a table; JSON and CSV have all of it."""
_COLOURS = {"finished": "green", "failed": "red", "interrupted": "yellow", "running": "blue"}


def none_found(found: Found) -> str:
    """Return the sentence for a result without runs."""
    if not found.ledger_empty:
        return "no run matches"
    return "no runs yet; `freeze run ENV -- COMMAND` records one"


def show(found: Found, console: Console) -> None:
    """Print a row for each run: what differs between them, and the results."""
    if not found.runs:
        console.print(none_found(found), highlight=False)
        return
    columns = columns_for(found.runs)
    head = ("[dim]run", "[dim]started", "[dim]state", *(f"[dim]{escape(one)}" for one in columns))
    show_rows([head, *(_row(run, columns) for run in found.runs)], console)
    if found.total > len(found.runs):
        console.print(f"{len(found.runs)} of {found.total} runs; --limit shows more")


def document(found: Found) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {"runs": [run_document(run) for run in found.runs], "total": found.total}


def run_document(run: Run) -> dict[str, Any]:
    """Return one run for ``--json``: typed values, every double to its last bit."""
    return {
        "id": run.id,
        "environment": run.environment,
        "state": run.state,
        "started": str(run.started),
        "ended": None if run.ended is None else str(run.ended),
        "seconds": run.seconds,
        "exit-code": run.exit_code,
        "command": list(run.command),
        "fields": {name: encode(value) for name, value in sorted(run.fields.items())},
        "tags": dict(run.tags),
        "notes": list(run.notes),
        "outputs": [
            {
                "path": one.path,
                "bytes": one.size,
                "sha256": one.sha256,
                "content-sha256": one.content,
                "format": one.format,
            }
            for one in run.outputs
        ],
        "links": dict(run.links),
        "owner": {name: encode(value) for name, value in sorted(run.owner.items())},
        "tail": run.tail,
    }


def show_run(run: Run, series: Mapping[str, Points], console: Console) -> None:
    """Print one run in full."""
    colour = _COLOURS.get(run.state, "red")
    took = "" if run.seconds is None else f", {run.seconds:.1f} s"
    console.print(
        f"run [bold]{run.id}[/bold]  [{colour}]{run.state}[/{colour}]  {run.started}{took}",
        highlight=False,
    )
    if run.state == "running" and run.owner:
        where = f"on {run.owner.get('host')}, process {run.owner.get('pid')}"
        if "slurm" in run.owner:
            where = f"on the cluster, as job {run.owner['slurm']}; `squeue --me` displays its state"
        console.print(f"  running {escape(printable(where))}", highlight=False)
    console.print(f"  {escape(printable(' '.join(run.command)))}", highlight=False, soft_wrap=True)
    rows = [
        (f"[dim]{escape(printable(name))}", escape(text(value)))
        for name, value in sorted(run.fields.items())
    ]
    rows += [
        (f"[dim]tags.{escape(printable(name))}", escape(printable(value)))
        for name, value in sorted(run.tags.items())
    ]
    if rows:
        show_rows(rows, console)
    for name, points in sorted(series.items()):
        console.print(
            f"[dim]series[/dim] {escape(printable(name))}: {plural(len(points), 'point')}"
        )
    for one in run.outputs:
        console.print(
            f"[dim]output[/dim] {escape(printable(one.path))}  {size(one.size)}  {one.sha256[:12]}",
            highlight=False,
        )
    for note in run.notes:
        console.print(f"[dim]note[/dim] {escape(printable(note))}", soft_wrap=True)
    if run.tail and run.state != "finished":
        for line in run.tail.splitlines()[-20:]:
            console.print(
                f"[dim]|[/dim] {escape(printable(line))}", highlight=False, soft_wrap=True
            )


def show_summary(groups: Sequence[Group], console: Console) -> None:
    """Print a block for each group of runs: mean and spread over seeds, and repetitions."""
    if not groups:
        console.print("no runs")
    for one in groups:
        title = ", ".join(f"{name} {text(value)}" for name, value in sorted(one.what.items()))
        seeds = plural(len(one.seeds), "seed")
        console.print(
            f"[bold]{escape(title) or 'all'}[/bold]: {plural(len(one.runs), 'run')}, {seeds}",
            highlight=False,
            soft_wrap=True,
        )
        head = ("[dim]  metric", "[dim]mean", "[dim]deviation", "[dim]least", "[dim]greatest")
        rows = [head, *(_spread_row(name, spread) for name, spread in one.metrics.items())]
        if len(rows) > 1:
            show_rows(rows, console)
        if one.repeated:
            console.print(
                f"  made again: {one.repeated}, identical to the bit: {one.identical}",
                highlight=False,
            )


def summary_document(groups: Sequence[Group]) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "groups": [
            {
                "what": {name: encode(value) for name, value in one.what.items()},
                "runs": list(one.runs),
                "seeds": list(one.seeds),
                "states": one.states,
                "metrics": {
                    name: {key: encode_number(getattr(spread, key)) for key in spread.__dict__}
                    for name, spread in one.metrics.items()
                },
                "repeated": one.repeated,
                "identical": one.identical,
            }
            for one in groups
        ]
    }


def encode_number(value: float | None) -> Any:
    """Return a number for JSON, which has no NaN."""
    return None if value is None else encode(value)


def text(value: Value) -> str:
    """Return a value as a table shows it."""
    if isinstance(value, Digest):
        return str(value).removeprefix("sha256:")[:12]
    if isinstance(value, float):
        return f"{value:.6g}"
    shown = printable(str(value)[:LONGEST])
    return shown if len(str(value)) <= LONGEST else f"{shown}…"


def columns_for(runs: Sequence[Run]) -> list[str]:
    """Return the fields worth a column: metrics, and the parameters that differ."""
    metrics = _common(runs, "metrics.")[:3]
    params = [name for name in _common(runs, "params.") if _differs(runs, name)]
    # What trainings reported themselves, such as every default of a library, counts only where
    # callers gave nothing.
    given = {f"params.{name.removeprefix('given.')}" for name in _common(runs, "given.")}
    params = ([name for name in params if name in given] or params)[:3]
    seeds = ["seed"] if _differs(runs, "seed") else []
    return [*seeds, *params, *metrics]


def _common(runs: Sequence[Run], prefix: str) -> list[str]:
    counts: dict[str, int] = {}
    for run in runs:
        for name in run.fields:
            if name.startswith(prefix):
                counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


def _differs(runs: Iterable[Run], name: str) -> bool:
    """Return whether the runs that have a field differ in it."""
    return len({repr(run.fields[name]) for run in runs if name in run.fields}) > 1


def _row(run: Run, columns: Sequence[str]) -> tuple[str, ...]:
    colour = _COLOURS.get(run.state, "red")
    values = [escape(text(run.fields[one])) if one in run.fields else "" for one in columns]
    started = str(Time(run.started.micros // 60_000_000 * 60_000_000))[:16].replace("T", " ")
    return (run.id[:8], started, f"[{colour}]{run.state}[/{colour}]", *values)


def _spread_row(name: str, spread: Spread) -> tuple[str, ...]:
    deviation = "" if spread.deviation is None else f"{spread.deviation:.3g}"
    unusable = f" ({spread.unusable} NaN or infinite)" if spread.unusable else ""
    return (
        f"  {escape(printable(name))}",
        f"{spread.mean:.6g}",
        deviation,
        f"{spread.least:.6g}",
        f"{spread.greatest:.6g}{unusable}",
    )
