"""Output of ``freeze log``: a line for each generation with its checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.canonical import plain
from freezer.model.generation import entry_digest
from freezer.model.lockfile import short_id
from freezer.output.styles import STYLES
from freezer.output.text import plural, printable, show_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from freezer.flows.governance.generations import GenerationVerified
    from freezer.flows.history.log import Log, Row, Verified
    from freezer.model.generation import Checked


def show(log: Log, console: Console) -> None:
    """Print the generations, newest first, with the current one marked."""
    if log.rows:
        head = ("", "[dim]generation", "[dim]lock", "[dim]date", "[dim]action", "[dim]checked")
        rows = [_row(one) for one in reversed(log.rows)]
        widest = [(*head, "[dim]what changed"), *rows]
        show_rows(widest, console)
        for one in reversed(log.rows):
            for line in _facts(one):
                console.print(f"  {line}", highlight=False, soft_wrap=True)
    if log.unrecorded:
        console.print(
            f"{log.name}: lock {short_id(log.unrecorded)} is not recorded yet; the "
            "next `freeze lock` or `freeze check` records it",
            highlight=False,
            soft_wrap=True,
        )
    elif not log.rows:
        console.print(f"{log.name}: no history yet; `freeze lock` begins it", highlight=False)


def document(log: Log) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": log.name,
        "generations": [_entry(one) for one in log.rows],
        "unrecorded": log.unrecorded,
    }


def show_verified(
    found: Verified, console: Console, signed: Sequence[GenerationVerified] | None = None
) -> None:
    """Print edited and uncovered files, or that nothing was edited; and who signed."""
    for fault in found.faults:
        console.print(f"  {escape(printable(fault))}", highlight=False, soft_wrap=True)
    for one in found.uncovered:
        line = f"  [dim]not covered:[/dim] {escape(printable(one))}"
        console.print(line, highlight=False, soft_wrap=True)
    files = plural(len(found.uncovered), "file")
    if found.faults:
        text = f"[bold red]{plural(len(found.faults), 'fault')}[/bold red] in the history"
    elif not found.entries:
        text = f"nothing is recorded yet; {files} not covered"
    else:
        # Not "untouched" when something could not be compared.
        word = "what is recorded is untouched" if found.uncovered else "untouched"
        text = (
            f"[bold green]{word}[/bold green], {found.entries} entries and "
            f"{plural(found.locks, 'lock')} verified"
        )
        if found.uncovered:
            text += f"; {files} not covered"
    console.print(f"{found.name}: {text}", highlight=False, soft_wrap=True)
    if signed is not None:
        _show_signatures(found.name, signed, console)


def _show_signatures(name: str, signed: Sequence[GenerationVerified], console: Console) -> None:
    for one in signed:
        if one.problem is not None:
            place = f"generation {one.number} (lock {short_id(one.lock_id)})"
            end = "" if one.fault else "; nothing demands a signature"
            end = f"; {one.excused} answers for it" if one.excused else end
            line = f"  {escape(printable(f'{place}: {one.problem}{end}'))}"
            console.print(line, highlight=False, soft_wrap=True)
    valid = sum(1 for one in signed if one.problem is None)
    faults = sum(1 for one in signed if one.fault)
    text = f"{valid} of {plural(len(signed), 'generation')} signed by a given key"
    if faults:
        text += f", [bold red]{faults} without a valid signature[/bold red]"
    console.print(f"{name}: {text}", highlight=False, soft_wrap=True)


def verified_document(
    found: Verified, signed: Sequence[GenerationVerified] | None = None
) -> dict[str, Any]:
    """Return the facts for ``--json``; with ``signed``, those of each generation's signature."""
    facts = _verified_facts(found)
    if signed is None:
        return facts
    facts["good"] = facts["good"] and not any(one.fault for one in signed)
    facts["signatures"] = [
        {
            "generation": one.number,
            "lock-id": one.lock_id,
            "good": one.problem is None,
            "problem": one.problem,
            "demanded": one.demanded,
            "excused": one.excused,
            "keys": [{"file": key.file, "id": key.fingerprint} for key in one.signers],
        }
        for one in signed
    ]
    return facts


def _verified_facts(found: Verified) -> dict[str, Any]:
    return {
        "environment": found.name,
        "good": not found.faults,
        "entries": found.entries,
        "locks": found.locks,
        "faults": list(found.faults),
        "uncovered": list(found.uncovered),
    }


def _entry(row: Row) -> dict[str, Any]:
    return {
        **plain(row.generation),
        "digest": entry_digest(row.generation),
        "deviation": row.generation.deviation,
        "current": row.current,
        "checks": [plain(one) for one in row.checks],
    }


def _row(row: Row) -> tuple[str, ...]:
    one = row.generation
    action = f"[bold red]{one.action}, forced[/bold red]" if one.deviation else one.action
    return (
        "[bold]*[/bold]" if row.current else "",
        str(one.number),
        short_id(one.lock_id),
        one.date.replace("T", " ")[:16],
        action,
        ", ".join(_word(check) for check in _last(row.checks)) or "[dim]no[/dim]",
        escape(printable(one.summary)),
    )


def _word(check: Checked) -> str:
    style = STYLES[check.word]
    return f"[{style}]{check.word}[/{style}] on {escape(check.class_)}"


def _last(checks: tuple[Checked, ...]) -> list[Checked]:
    """Return the last check in each numerics class."""
    return list({one.class_: one for one in checks}.values())


def _facts(row: Row) -> Iterator[str]:
    one = row.generation
    text = []
    if one.reason:
        text.append(f"reason: {one.reason}")
    if one.plan:
        text.append(f"plan {short_id(one.plan)}")
    if one.who:
        text.append(f"by {one.who}")
    if one.commit:
        text.append(f"on commit {one.commit[:12]}")
    if text:
        yield f"[dim]{one.number}:[/dim] {escape(printable(', '.join(text)))}"
