"""Output of ``freeze doctor``: a table for users, a JSON document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.flows.setup.probes.finding import Finding, State
from freezer.output.text import show_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.MISSING: "red"}


def show(findings: Sequence[Finding], console: Console) -> None:
    """Print a row for each finding, followed by its remedy."""
    show_rows([row for finding in findings for row in _rows(finding)], console)


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    usable = all(finding.state is not State.MISSING for finding in findings)
    return {"usable": usable, "findings": [finding.to_json() for finding in findings]}


def _rows(finding: Finding) -> Iterator[tuple[str, str, str]]:
    style = _STYLES[finding.state]
    state = f"[{style}]{finding.state.value}[/{style}]"
    yield state, escape(finding.topic), escape(finding.found)
    if finding.hint is not None:
        yield "", "", f"[bold]next: {escape(finding.hint)}[/bold]"
