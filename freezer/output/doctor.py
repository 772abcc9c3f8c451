"""The doctor's report: a table for people, one document for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from freezer.flows.setup.probes.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.MISSING: "red"}


def show(findings: Sequence[Finding], console: Console | None = None) -> None:
    """Print a row for each finding, and under it how to mend it."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for column in ("state", "topic"):
        table.add_column(column, no_wrap=True)
    table.add_column("found", overflow="fold")
    for finding in findings:
        table.add_row(_state(finding.state), finding.topic, _found(finding))
    (console or Console()).print(table)


def document(findings: Sequence[Finding]) -> str:
    """Return the findings as the document that ``--json`` prints."""
    usable = all(finding.state is not State.MISSING for finding in findings)
    rows = [finding.to_json() for finding in findings]
    return json.dumps({"usable": usable, "findings": rows}, indent=2)


def _state(state: State) -> Text:
    return Text(state.value, style=_STYLES[state])


def _found(finding: Finding) -> Text:
    text = Text(finding.found)
    if finding.hint is not None:
        text.append(f"\nnext: {finding.hint}", style="bold")
    return text
