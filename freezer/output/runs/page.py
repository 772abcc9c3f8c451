"""`freeze runs page`: runs as one self-contained HTML page, without any request to outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup
from rich.markup import escape

from freezer.flows.runs.explain.contrast import FOLLOWS, KNOWN_CAUSES, LEVELS, SAME_CODE
from freezer.output.pages import inline_hash, inline_json, page_asset, render_page
from freezer.output.runs.columns import columns, curve_document, shortened
from freezer.output.runs.runs import columns_for
from freezer.output.text import plural, printable, size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from freezer.flows.runs.page.gather import RunsPage
    from freezer.model.record.run import Run

PART: Final = 200
"""Runs whose curves, outputs and last lines are one block of JSON, parsed when one is chosen."""
MOST_OUTPUTS: Final = 50
"""Output files of one run that are listed."""
TAIL_LINES: Final = 20
SCRIPTS: Final = ("data", "filter", "table", "chart", "contrast", "compare", "detail", "main")
"""Files of ``templates/runs`` that make the page's script, in this order."""


def page_html(page: RunsPage) -> str:
    """Return the page; the same runs give the same bytes."""
    script = "".join(["(() => {\n'use strict';\n", *map(_script, SCRIPTS), "})();\n"])
    style = page_asset("runs/page.css")
    title = _title(page)
    return render_page(
        "runs/page.html.j2",
        title=title,
        subtitle=_subtitle(page),
        script=Markup(script),  # noqa: S704 - our own, and in the policy by its digest
        script_hash=inline_hash(script),
        style=Markup(style),  # noqa: S704 - our own
        style_hash=inline_hash(style),
        data=inline_json(_document(page)),
        parts=[
            inline_json(_part(page, page.runs[start : start + PART]))
            for start in range(0, len(page.runs), PART)
        ],
    )


def show_page(page: RunsPage, path: Path, length: int, console: Console) -> None:
    """Print where the page is, and how much is on it."""
    count = plural(len(page.runs), "run")
    if page.total > len(page.runs):
        count = f"the latest {len(page.runs)} of {page.total} runs"
    console.print(
        f"{escape(printable(str(path)))}: {count}, {size(length)}",
        highlight=False,
        soft_wrap=True,
    )


def page_document(page: RunsPage, path: Path, length: int) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {"file": str(path), "runs": len(page.runs), "total": page.total, "bytes": length}


def _script(name: str) -> str:
    return page_asset(f"runs/{name}.js")


def _title(page: RunsPage) -> str:
    names = sorted({run.environment for run in page.runs})
    listed = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
    return f"Runs of {shortened(listed)}" if names else "Runs"


def _subtitle(page: RunsPage) -> str:
    count = plural(len(page.runs), "run")
    if page.total > len(page.runs):
        count = f"the latest {len(page.runs)} of {page.total} runs"
    return f"{count} where {shortened(page.query)}" if page.query else count


def _document(page: RunsPage) -> dict[str, Any]:
    return {
        "count": len(page.runs),
        "part": PART,
        "columns": columns(page.runs),
        "main": columns_for(page.runs),
        "notes": {
            str(number): [shortened(note) for note in run.notes]
            for number, run in enumerate(page.runs)
            if run.notes
        },
        "files": {
            digest: {
                "count": found.count,
                "size": found.size,
                "members": None
                if found.members is None
                else [
                    [shortened(one.path), one.size, one.sha256[:16], one.kind]
                    for one in found.members
                ],
            }
            for digest, found in page.files.items()
        },
        "environments": {
            lock_id: {
                "name": found.name,
                "asOf": found.as_of,
                "packages": [list(one) for one in found.packages],
            }
            for lock_id, found in page.environments.items()
        },
        "suspects": {
            f"{one} {other}": [[item.level, item.what, item.why] for item in found]
            for (one, other), found in page.suspects.items()
        },
        "commits": {
            f"{one} {other}": [shortened(line) for line in found]
            for (one, other), found in page.commits.items()
        },
        "patches": {
            digest: [[shortened(path), part] for path, part in found.items()]
            for digest, found in page.patches.items()
        },
        "rules": [list(rule) for rule in KNOWN_CAUSES],
        "levels": list(LEVELS),
        "sameCode": SAME_CODE,
        "follows": FOLLOWS,
    }


def _part(page: RunsPage, runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [_rest(page, run) for run in runs]


def _rest(page: RunsPage, run: Run) -> dict[str, Any]:
    """Return the parts of a run that are read only when it is opened."""
    found: dict[str, Any] = {}
    curves = page.curves.get(run.id, {})
    if curves:
        found["curves"] = {name: curve_document(one) for name, one in sorted(curves.items())}
    if run.outputs:
        found["outputs"] = [
            [shortened(one.path), one.size, (one.content or one.sha256)[:16], one.format or ""]
            for one in run.outputs[:MOST_OUTPUTS]
        ]
        found["outputCount"] = len(run.outputs)
        found["outputSize"] = sum(one.size for one in run.outputs)
    if run.tail:
        found["tail"] = shortened("\n".join(run.tail.splitlines()[-TAIL_LINES:]))
    return found
