"""Output of ``freeze atlas``: the libraries in a table, or one library's rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape

from freezer.model.canonical import plain
from freezer.output.text import plural, show_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from freezer.flows.atlas.atlas import AtlasResult
    from freezer.frameworks.atlas.table import Row, Sheet, Stream

STYLES: Final = {"same": "green", "differs": "yellow", "varies": "red"}
REPEAT: Final = "python -m benchmarks.atlas"
"""Measures a library again, in a checkout of Freezer."""


def show(result: AtlasResult, console: Console) -> None:
    """Print all libraries in a table, or everything on one."""
    if result.package is None:
        _overview(result, console)
        return
    for sheet in result.sheets:
        _sheet(sheet, console)


def document(result: AtlasResult) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "libraries": [
            {
                "package": sheet.package,
                "title": sheet.title,
                "also": list(sheet.also),
                "cpu": sheet.cpu,
                "python": sheet.python,
                "repeat": f"{REPEAT} {sheet.package}",
                "environments": [
                    {"version": version, "packages": [f"{a}=={b}" for a, b in found.items()]}
                    for version, found in sheet.environments.items()
                ],
                "rows": [_row(row) for row in sheet.rows],
                "streams": [
                    {
                        **plain(stream),
                        "changes": [{"from": a, "to": b} for a, b in stream.changes()],
                    }
                    for stream in sheet.streams
                ],
            }
            for sheet in result.sheets
        ]
    }


def _row(row: Row) -> dict[str, Any]:
    found = plain(row)
    found["variables"] = [f"{name}={value}" for name, value in row.variables.items()]
    found["digests"] = [
        {"version": version, "level": level, "bits": list(bits)}
        for version, levels in row.digests.items()
        for level, bits in levels.items()
    ]
    return found


def _overview(result: AtlasResult, console: Console) -> None:
    head = (
        "package",
        "versions",
        "rows",
        "same",
        "differs",
        "varies",
        "streams",
        "changed",
        "date",
    )
    rows: list[tuple[str, ...]] = [tuple(f"[bold]{cell}[/bold]" for cell in head)]
    rows += [tuple(map(escape, _summary(sheet))) for sheet in result.sheets]
    show_rows(rows, console)
    text = (
        f"{plural(len(result.sheets), 'library')}, {plural(result.rows, 'row')}, "
        f"{plural(result.streams, 'stream')} by release; `freeze atlas PACKAGE` prints one"
    ).replace("librarys", "libraries")
    console.print(text, highlight=False, soft_wrap=True)


def _summary(sheet: Sheet) -> tuple[str, ...]:
    effects = Counter(row.effect for row in sheet.rows)
    changed = sum(bool(stream.changes()) for stream in sheet.streams)
    return (
        sheet.package,
        ", ".join(measured_versions(sheet)),
        str(len(sheet.rows)),
        *(str(effects[name]) for name in ("same", "differs", "varies")),
        str(len(sheet.streams)),
        str(changed),
        last_day(sheet),
    )


def measured_versions(sheet: Sheet) -> list[str]:
    """Return the versions that any row was measured with."""
    return list(dict.fromkeys(version for row in sheet.rows for version in row.versions))


def last_day(sheet: Sheet) -> str:
    """Return the day of the newest measurement."""
    days = [*(row.date for row in sheet.rows), *(item.date for item in sheet.streams)]
    return max(days, default="")


def _sheet(sheet: Sheet, console: Console) -> None:
    versions = ", ".join(measured_versions(sheet))
    _say(
        f"{sheet.title} ({sheet.package} {versions}), {sheet.cpu}, CPython {sheet.python}", console
    )
    for operation, rows in by_operation(sheet).items():
        console.print(f"[bold]{escape(operation)}[/bold]", highlight=False, soft_wrap=True)
        many = len(measured_versions(sheet)) > 1
        show_rows([_line(row, many=many) for row in rows], console)
        for text in dict.fromkeys(text for row in rows for text in _advice(row)):
            _say(f"    {text}", console)
    if sheet.streams:
        console.print("[bold]The same seed in other releases[/bold]", highlight=False)
        show_rows([_stream(stream) for stream in sheet.streams], console)
    _say(f"measured {last_day(sheet)}; repeat with `{REPEAT} {sheet.package}`", console)


def by_operation(sheet: Sheet) -> dict[str, list[Row]]:
    """Return the rows by operation, in order."""
    found: dict[str, list[Row]] = {}
    for row in sheet.rows:
        found.setdefault(row.operation, []).append(row)
    return found


def _line(row: Row, *, many: bool) -> tuple[str, ...]:
    style = STYLES[row.effect]
    factor = f"{row.factor} ({', '.join(row.versions)})" if many else row.factor
    word = f"[{style}]{row.effect}[/{style}]"
    return f"  {escape(factor)}", word, escape(row.finding)


def _advice(row: Row) -> Iterator[str]:
    if row.note:
        yield row.note
    if row.setting:
        yield f"setting: {row.setting}"


def _stream(stream: Stream) -> tuple[str, ...]:
    changes = stream.changes()
    word = "[red]changes[/red]" if changes else "[green]same[/green]"
    return f"  {escape(stream.operation)}", word, escape(spans(stream))


def spans(stream: Stream) -> str:
    """Return between which releases a stream changed, and which were compared."""
    ends = f"{stream.releases[0].version} to {stream.releases[-1].version}"
    changes = "; ".join(f"between {old} and {new}" for old, new in stream.changes())
    return f"{changes} (compared {ends})" if changes else f"compared {ends}"


def _say(text: str, console: Console) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)
