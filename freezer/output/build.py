"""What ``freeze build`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.model.lockfile import short_id
from freezer.output.text import show_rows, size

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.build import Built
    from freezer.flows.render import Context


def show(built: Built, console: Console) -> None:
    """Print the image's ID, its tags and its layers."""
    lock = built.locked.lock
    if not built.fresh:
        text = f"{lock.name}: nothing changed, image {built.image} is there and verified"
        console.print(text, highlight=False, soft_wrap=True)
        return
    rows = [(f"  {title}", size(count), diff_id[7:19]) for title, diff_id, count in built.layers]
    show_rows(rows, console)
    packages = f"{len(lock.pip)} Python packages and {len(lock.debian)} Debian packages"
    lines = [
        f"{lock.name}: image {built.image}",
        f"  {size(built.size)}, {packages}, every file as locked ({built.seconds:.0f} s)",
        f"  tagged {' and '.join(built.tags)}",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def show_context(context: Context, console: Console) -> None:
    """Print how to build a context without Freezer."""
    console.print(f"context with {size(context.size)} in {context.folder}", highlight=False)
    console.print(f"  next: docker build --network none {context.folder}", highlight=False)


def document(built: Built) -> dict[str, Any]:
    """Return the facts of an image for ``--json``."""
    lock = built.locked.lock
    return {
        "environment": lock.name,
        "lock-id": built.locked.id,
        "image": built.image,
        "tags": list(built.tags),
        "built": built.fresh,
        "verified": True,
        "bytes": built.size,
        "base": {"config": lock.base.config, "diff-ids": list(lock.base.diff_ids)},
        "layers": [
            {"title": title, "diff-id": diff_id, "bytes": count}
            for title, diff_id, count in built.layers
        ],
        "seconds": round(built.seconds, 1),
        "version": short_id(built.locked.id),
    }
