"""What ``freeze images`` says."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.lockfile import short_id
from freezer.output.text import plural, show_rows, size

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.images import Held, Images


def show(images: Images, console: Console) -> None:
    """Print a row for each image, and what all of them take together."""
    if not images.held:
        console.print("no images yet; `freeze build` makes one")
        return
    head = ("[dim]environment", "[dim]lock", "[dim]as of", "[dim]size", "[dim]shared", "[dim]own")
    show_rows([(*head, "[dim]image"), *(_row(held) for held in images.held)], console)
    count = plural(len(images.held), "image")
    console.print(f"{count}, {size(images.total)} together", highlight=False)


def document(images: Images) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {"images": [asdict(held) for held in images.held], "bytes": images.total}


def _row(held: Held) -> tuple[str, ...]:
    return (
        escape(held.environment),
        short_id(held.lock_id),
        held.as_of[:10],
        size(held.size),
        size(held.shared),
        size(held.own),
        held.image[7:19],
    )
