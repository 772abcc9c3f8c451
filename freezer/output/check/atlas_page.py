"""``freeze atlas -o``: the measured facts as one self-contained HTML page to search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from rich.markup import escape

from freezer.output.check.atlas import REPEAT, last_day, spans
from freezer.output.pages import inline_hash, inline_json, page_asset, render_page
from freezer.output.text import plural, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from freezer.flows.atlas.atlas import AtlasResult
    from freezer.frameworks.atlas.table import Row, Sheet, Stream


def page_html(result: AtlasResult) -> str:
    """Return the page; the same facts give the same bytes."""
    script, style = page_asset("atlas/page.js"), page_asset("atlas/page.css")
    return render_page(
        "atlas/page.html.j2",
        subtitle=_subtitle(result),
        script=Markup(script),  # noqa: S704 - ours, and in the policy by its digest
        script_hash=inline_hash(script),
        style=Markup(style),  # noqa: S704 - ours as well
        style_hash=inline_hash(style),
        data=inline_json(
            {
                "libraries": {sheet.package: _library(sheet) for sheet in result.sheets},
                "rows": [row for sheet in result.sheets for row in _rows(sheet)],
            }
        ),
    )


def show_page(result: AtlasResult, path: Path, length: int, console: Console) -> None:
    """Print where the page is, and how much is on it."""
    text = f"{printable(str(path))}: {_subtitle(result)}, {size(length)}"
    console.print(escape(text), highlight=False, soft_wrap=True)


def _subtitle(result: AtlasResult) -> str:
    count = len(result.sheets)
    return (
        f"{count} {'library' if count == 1 else 'libraries'}, {plural(result.rows, 'row')}, "
        f"{plural(result.streams, 'stream')} by release"
    )


def _library(sheet: Sheet) -> dict[str, Any]:
    return {
        "title": sheet.title,
        "cpu": sheet.cpu,
        "python": sheet.python,
        "repeat": f"{REPEAT} {sheet.package}",
        "day": last_day(sheet),
    }


def _rows(sheet: Sheet) -> Iterator[dict[str, Any]]:
    yield from (_row(sheet, row) for row in sheet.rows)
    yield from (_stream(sheet, stream) for stream in sheet.streams)


def _row(sheet: Sheet, row: Row) -> dict[str, Any]:
    return {
        "package": sheet.package,
        "versions": ", ".join(row.versions),
        "operation": row.operation,
        "factor": row.factor,
        "effect": row.effect,
        "finding": row.finding,
        "setting": row.setting or "",
        "note": row.note or "",
        "how": row.how,
        "date": row.date,
    }


def _stream(sheet: Sheet, stream: Stream) -> dict[str, Any]:
    return {
        "package": sheet.package,
        "versions": f"{stream.releases[0].version} to {stream.releases[-1].version}",
        "operation": stream.operation,
        "factor": "version",
        "effect": "differs" if stream.changes() else "same",
        "finding": spans(stream),
        "setting": "",
        "note": stream.note or "",
        "how": stream.how,
        "date": stream.date,
    }
