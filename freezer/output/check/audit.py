"""Output of ``freeze audit``: a table of factors, then known facts on the packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.canonical import plain
from freezer.model.lockfile import short_id
from freezer.output.text import plural, printable, show_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from freezer.check.audit.documented import Note
    from freezer.check.audit.effects import Effect
    from freezer.flows.check.audit import AuditResult


_SLOWER = 1.05
"""Times within this ratio count as equal."""


def show(result: AuditResult, console: Console) -> None:
    """Print the effect of each factor on each training, and its mitigation."""
    head = ("factor", "training", "bits", "from", "relative", "mitigation costs")
    rows: list[tuple[str, ...]] = [tuple(f"[bold]{cell}[/bold]" for cell in head)]
    rows += [_row(item) for item in result.effects]
    show_rows(rows, console)
    for line in _lines(result):
        console.print(escape(printable(line)), highlight=False, soft_wrap=True)
    style, text = ("bold green", "repeats") if result.good else ("bold red", "does not repeat")
    runs = len({item.factor for item in result.effects}) + 1
    console.print(
        f"{result.locked.lock.name}: [{style}]{text}[/{style}], lock {short_id(result.locked.id)}, "
        f"{runs} runs in {result.seconds:.0f} s on {escape(result.record.host.class_)}",
        highlight=False,
        soft_wrap=True,
    )


def _row(item: Effect) -> tuple[str, ...]:
    if item.failure is not None:
        word = "[bold red]failed[/bold red]"
    elif not item.changes:
        word = "[green]same[/green]"
    else:
        word = "[bold red]differ[/bold red]" if item.fault else "[yellow]differ[/yellow]"
    far = f"{item.relative:.0e}" if item.relative is not None else ""
    cost = ""
    if item.cost is not None and (item.changes or item.cost != 1):
        cost = "nothing" if item.cost < _SLOWER else f"{item.cost:.2f} times the time"
    cells = (item.title, item.training)
    return (*map(escape, cells), word, escape(item.first or ""), far, cost)


def _lines(result: AuditResult) -> Iterator[str]:
    accepted = {item.factor: item for item in result.accepted}
    explained = set()
    for item in result.effects:
        if (item.changes or item.failure) and item.factor not in explained:
            explained.add(item.factor)
            yield f"{item.title}: {item.mitigation}"
            yield from (f"  {line}" for line in result.measured.get(item.factor, ()))
        if item.failure is not None:
            yield f"  {item.training}: {item.failure.splitlines()[0]}"
        if item.bad and item.factor in accepted:
            known = accepted[item.factor]
            yield f"  accepted on {known.date}: {known.reason}"
    for title in result.skipped:
        yield f"no time was left for: {title}"
    yield from _notes(result.notes)
    bad = {item.factor for item in result.effects if item.bad}
    for factor, known in accepted.items():
        if factor not in bad:
            yield f"accepted on {known.date}, but no longer found: {factor} ({known.reason})"


def _notes(notes: Iterable[Note]) -> Iterator[str]:
    known = tuple(notes)
    for note in known:
        if not note.covered:
            word = "measured" if note.kind == "measured" else "known"
            yield f"{word}: {note.about}: {note.says}"
            yield f"  mitigation: {note.mitigation}" + (f" ({note.source})" if note.source else "")
    if stopped := [note for note in known if note.covered]:
        names = ", ".join(dict.fromkeys(note.about for note in stopped))
        yield (
            f"measured, and stopped by the image's settings: {plural(len(stopped), 'effect')} of "
            f"{names}; --json lists them"
        )


def document(result: AuditResult) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": result.locked.lock.name,
        "lock-id": result.locked.id,
        "image": result.image,
        "good": result.good,
        "class": result.record.host.class_,
        "host": plain(result.record.host),
        "effects": [{**plain(item), "bad": item.bad} for item in result.effects],
        "open": [plain(item) for item in result.open],
        "skipped": list(result.skipped),
        "accepted": [plain(item) for item in result.accepted],
        "measured": {name: list(lines) for name, lines in result.measured.items()},
        "notes": list(result.notes),
        "seconds": round(result.seconds, 1),
    }
