"""Output of ``freeze inventory``: libraries with packages and loaders, then duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.canonical import plain
from freezer.model.record.inventory import inventory_digest
from freezer.output.text import plural, show_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from freezer.flows.image.inventory_cache import InventoryResult
    from freezer.model.record.inventory import LinkedIn, SharedLibrary

_SHOWN = 3
"""Maximum loading packages in a row."""


def show(result: InventoryResult, console: Console) -> None:
    """Print a row for each implementation, then duplicates."""
    found = result.inventory
    groups: dict[tuple[str, str, str], list[SharedLibrary]] = {}
    for item in found.libraries:
        groups.setdefault((item.name, item.version, item.owner), []).append(item)
    rows = [_row(items) for items in groups.values()] + [_held(item) for item in found.linked_in]
    rows.sort()
    if rows:
        show_rows([("[dim]for", "[dim]library", "[dim]owner", "[dim]loaded by"), *rows], console)
    for sentence in result.doubles:
        console.print(
            f"[yellow]warning:[/yellow] {escape(sentence)}", highlight=False, soft_wrap=True
        )
    console.print(
        f"{plural(len(found.libraries), 'file')} of {found.files} are numeric libraries, "
        f"{inventory_digest(found)[:19]}; kept in {escape(_kept(result))}",
        highlight=False,
        soft_wrap=True,
    )


def document(result: InventoryResult) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": result.locked.lock.name,
        "lock-id": result.locked.id,
        "digest": inventory_digest(result.inventory),
        "inventory": plain(result.inventory),
        "doubles": list(result.doubles),
    }


def _kept(result: InventoryResult) -> str:
    return f"lockfiles/{result.locked.lock.name}/{result.path.name}"


def _row(items: Sequence[SharedLibrary]) -> tuple[str, ...]:
    first = items[0]
    roles = list(dict.fromkeys(role for item in items for role in item.roles))
    users = sorted({user for item in items for user in item.loaded_by})
    more = f" +{len(users) - _SHOWN}" if len(users) > _SHOWN else ""
    return (
        ", ".join(roles),
        escape(f"{first.name} {first.version}".strip()),
        escape(first.owner or first.file),
        escape(", ".join(users[:_SHOWN]) + more) or "[dim]nothing",
    )


def _held(item: LinkedIn) -> tuple[str, ...]:
    name = item.file.rpartition("/")[2]
    return (", ".join(item.roles), escape(item.name), escape(item.owner), escape(f"within {name}"))
