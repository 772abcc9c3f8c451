"""Output of ``freeze images``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.lockfile import short_id
from freezer.output.text import plural, show_rows, size

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.image.images import Images, LockImage
    from freezer.flows.image.prune import Pruned


def show(images: Images, console: Console) -> None:
    """Print a row for each image, and the total size."""
    if not images.images:
        console.print("no images yet; `freeze build` makes one")
        return
    head = ("[dim]environment", "[dim]lock", "[dim]as of", "[dim]size", "[dim]shared", "[dim]own")
    show_rows([(*head, "[dim]image"), *(_row(one) for one in images.images)], console)
    count = plural(len(images.images), "image")
    console.print(f"{count}, {size(images.total)} together", highlight=False)


def document(images: Images) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {"images": images.images, "bytes": images.total}


def show_pruned(done: Pruned, console: Console) -> None:
    """Print the images that were or would be removed, and the freed space."""
    if not done.images:
        console.print("nothing to remove: every image is of a lock or a generation")
        return
    verb = "would remove" if done.dry else "removed"
    for item in done.images:
        names = escape(", ".join(item.names))
        if item.kept_because:
            console.print(
                f"kept {escape(item.what)} {item.image[7:19]}: {escape(item.kept_because)}"
            )
        else:
            console.print(f"{verb} {escape(item.what)} {item.image[7:19]} {names}", highlight=False)
    frees = "that would free" if done.dry else "that frees"
    console.print(f"{frees} {size(done.freed)}", highlight=False)


def pruned_document(done: Pruned) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "images": done.images,
        "bytes": done.freed,
        "dry-run": done.dry,
    }


def _row(image: LockImage) -> tuple[str, ...]:
    return (
        escape(image.environment),
        short_id(image.lock_id),
        image.as_of[:10],
        size(image.size),
        size(image.shared),
        size(image.own),
        image.image[7:19],
    )
