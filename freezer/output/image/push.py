"""Output of ``freeze push`` and ``freeze pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.model.lockfile import short_id
from freezer.output.text import plural, size

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.registry.pull import Pulled
    from freezer.flows.registry.push import Pushed


def show_pushed(pushed: Pushed, console: Console) -> None:
    """Print the image's name for pulling first, then what was sent."""
    sent = f"{pushed.sent} of {plural(pushed.layers, 'layer')} sent, {size(pushed.sent_bytes)}"
    if not pushed.fresh:
        sent = f"{plural(pushed.layers, 'layer')}, all of it was there"
    lines = [
        pushed.name,
        f"  image {pushed.image} of lock {short_id(pushed.locked.id)}, tag {pushed.tag}",
        f"  {sent}; {plural(pushed.references, 'reference')} sent",
    ]
    _print(lines, console)


def show_pulled(pulled: Pulled, console: Console) -> None:
    """Print the image's ID, what was fetched, and the next step."""
    fetched = f"{size(pulled.fetched)} fetched" if pulled.fresh else "the engine had it"
    classes = ", ".join(pulled.classes) or "none"
    lines = [
        f"image {pulled.image} of lock {short_id(pulled.lock_id)}, {fetched}",
        f"  tagged {pulled.tag}",
        f"  references: {classes}",
        f"  next: freeze check {pulled.name}",
    ]
    _print(lines, console)


def pushed_document(pushed: Pushed) -> dict[str, Any]:
    """Return the facts of a push for ``--json``."""
    return {
        "environment": pushed.locked.lock.name,
        "lock-id": pushed.locked.id,
        "image": pushed.image,
        "name": pushed.name,
        "tag": pushed.tag,
        "layers": pushed.layers,
        "bytes": pushed.size,
        "sent": {"layers": pushed.sent, "bytes": pushed.sent_bytes},
        "references-sent": pushed.references,
        "changed": pushed.fresh,
    }


def pulled_document(pulled: Pulled) -> dict[str, Any]:
    """Return the facts of a pull for ``--json``."""
    return {
        "lock-id": pulled.lock_id,
        "image": pulled.image,
        "name": pulled.name,
        "tag": pulled.tag,
        "fetched-bytes": pulled.fetched,
        "fetched": pulled.fresh,
        "references": list(pulled.classes),
    }


def _print(lines: list[str], console: Console) -> None:
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True, markup=False)
