"""Output of `freeze data status`, `diff`, `verify` and `record`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.output.text import plural, printable, show_rows, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from freezer.data.entry import Member
    from freezer.flows.data.records import DataRecord
    from freezer.flows.data.status import SetDiff, SetStatus, SetVerified

MOST = 40
"""Lines of a list of changes that a terminal gets; JSON has all."""


def show(found: Sequence[SetStatus], console: Console) -> None:
    """Print a row for each data set, and below what to do about those that differ."""
    head = ("[dim]data set", "[dim]files", "[dim]size", "[dim]digest", "[dim]state")
    show_rows([head, *(_row(one) for one in found)], console)
    for one in found:
        if one.changed:
            name = escape(one.now.name)
            console.print(f"`freeze data diff {name}` lists what changed", highlight=False)


def document(found: Sequence[SetStatus]) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "data": [
            {
                "name": one.now.name,
                "root": one.now.root,
                "pattern": one.now.pattern,
                "digest": one.now.digest,
                "members": one.now.members,
                "bytes": one.now.size,
                "hashed": one.now.hashed,
                "expect": one.expect,
                "as-pinned": one.as_pinned,
                "recorded": one.recorded,
                "changed": one.changed,
            }
            for one in found
        ]
    }


def show_diff(found: SetDiff, console: Console) -> None:
    """Print what changed: a line a file, at most ``MOST`` of them, then the counts."""
    lines = list(_changes(found))
    for line in lines[:MOST]:
        console.print(line, highlight=False, soft_wrap=True)
    if len(lines) > MOST:
        console.print(f"... and {len(lines) - MOST} more; --json lists all", highlight=False)
    diff = found.diff
    counts = (
        (len(diff.added), "added"),
        (len(diff.removed), "removed"),
        (len(diff.changed), "changed"),
        (len(diff.moved), "moved"),
        (diff.same, "unchanged"),
    )
    console.print(", ".join(f"{count} {word}" for count, word in counts if count), highlight=False)


def diff_document(found: SetDiff) -> dict[str, Any]:
    """Return the facts for ``--json``: every change, by kind."""
    diff = found.diff
    return {
        "name": found.name,
        "old": found.old,
        "new": found.new,
        "added": list(diff.added),
        "removed": list(diff.removed),
        "changed": [{"old": a, "new": b} for a, b in diff.changed],
        "moved": [{"old": a, "new": b} for a, b in diff.moved],
        "unchanged": diff.same,
    }


def show_verified(found: Sequence[SetVerified], console: Console) -> None:
    """Print what reading every byte showed."""
    for one in found:
        name, files = escape(one.now.name), plural(one.now.members, "file")
        if one.good:
            console.print(
                f"[green]{name}[/green]: {files}, {size(one.now.size)}, every byte as before",
                highlight=False,
            )
        for old, new in one.spoiled:
            console.print(
                f"[red]{name}[/red]: {escape(printable(new.path))} has other bytes than before, "
                "though its size and times did not change",
                highlight=False,
                soft_wrap=True,
            )
            console.print(f"  was {old.sha256[:12]}, is {new.sha256[:12]}", highlight=False)
        if one.expect not in (None, one.now.digest):
            console.print(
                f"[red]{name}[/red]: {one.now.digest[:19]} is not what the spec pins "
                f"({str(one.expect)[:19]})",
                highlight=False,
            )


def verified_document(found: Sequence[SetVerified]) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "data": [
            {
                "name": one.now.name,
                "digest": one.now.digest,
                "members": one.now.members,
                "bytes": one.now.size,
                "expect": one.expect,
                "good": one.good,
                "spoiled": [{"old": a, "new": b} for a, b in one.spoiled],
            }
            for one in found
        ]
    }


def show_recorded(made: Sequence[DataRecord], console: Console) -> None:
    """Print each recorded state."""
    rows = [
        (escape(one.name), plural(one.members, "file"), size(one.size), one.digest) for one in made
    ]
    show_rows(rows, console)


def recorded_document(made: Sequence[DataRecord]) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {"data": list(made)}


def _row(one: SetStatus) -> tuple[str, ...]:
    state = "recorded" if one.recorded and not one.changed else "not recorded"
    if one.changed and one.recorded:
        state = f"[yellow]changed since {one.recorded.recorded[:10]}[/yellow]"
    if not one.as_pinned:
        state = "[red]not what the spec pins[/red]"
    elif one.expect is not None:
        state = f"as pinned, {state}"
    now = one.now
    return escape(now.name), str(now.members), size(now.size), now.digest[7:19], state


def _changes(found: SetDiff) -> Iterator[str]:
    diff = found.diff
    for one in diff.added:
        yield f"[green]+[/green] {_path(one)}  {size(one.size)}"
    for one in diff.removed:
        yield f"[red]-[/red] {_path(one)}  {size(one.size)}"
    for old, new in diff.changed:
        yield f"[yellow]~[/yellow] {_path(new)}  {size(old.size)} -> {size(new.size)}"
    for old, new in diff.moved:
        yield f"[blue]>[/blue] {_path(old)} -> {_path(new)}"


def _path(one: Member) -> str:
    return escape(printable(one.path))
