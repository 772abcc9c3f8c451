"""Output of ``freeze build``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.ecosystems import INSTALLED
from freezer.model.lockfile import short_id
from freezer.output.text import plural, show_rows, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from freezer.flows.image.build import Built
    from freezer.flows.image.rebuild import Rebuilt
    from freezer.flows.image.render import Context
    from freezer.flows.support.stopwatch import Stopwatch


def show(built: Built, console: Console) -> None:
    """Print the image's ID, its tags and its layers."""
    lock = built.locked.lock
    if not built.fresh:
        text = f"{lock.name}: nothing changed, image {built.image} is there and verified"
        console.print(text, highlight=False, soft_wrap=True)
        return
    rows = [(f"  {title}", size(count), diff_id[7:19]) for title, diff_id, count in built.layers]
    show_rows(rows, console)
    counts = [(len(one.packages(lock)), one.noun) for one in INSTALLED]
    counted = [plural(count, noun) for count, noun in counts if count]
    packages = ", ".join(counted) or "no packages"
    lines = [
        f"{lock.name}: image {built.image}",
        f"  {size(built.size)}, {packages}, every file as locked ({built.seconds:.0f} s)",
        f"  on the base {lock.base.config}, {_layers(lock.base.diff_ids)}",
        f"  tagged {' and '.join(built.tags)}",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _layers(diff_ids: Sequence[str]) -> str:
    return f"layer{'s' if len(diff_ids) > 1 else ''} {', '.join(diff_ids)}"


def show_context(context: Context, console: Console) -> None:
    """Print how to build a context without Freezer."""
    console.print(f"context with {size(context.size)} in {context.folder}", highlight=False)
    console.print(f"  next: docker build --network none {context.folder}", highlight=False)


def show_rebuilt(done: Rebuilt, console: Console) -> None:
    """Print whether a second build gave the same image, and where not."""
    for sentence in done.differences:
        console.print(f"  {sentence}", highlight=False, soft_wrap=True, markup=False)
    name = done.built.locked.lock.name
    if done.same:
        text = f"built again from nothing, and the image is the same: {done.image}"
    else:
        text = f"built again from nothing, and the image is {done.image}, not {done.built.image}"
    console.print(f"{name}: {text}", highlight=False, soft_wrap=True)


def show_timings(watch: Stopwatch, console: Console) -> None:
    """Print each kind of work with its seconds and its share of the whole."""
    shares = watch.shares()
    total = sum(shares.values()) or 1.0
    rows = [
        (f"  {escape(title)}", f"{seconds:6.1f} s", f"{100 * seconds / total:3.0f} %")
        for title, seconds in sorted(shares.items(), key=lambda item: -item[1])
    ]
    show_rows(rows, console)


def rebuilt_document(done: Rebuilt) -> dict[str, Any]:
    """Return the facts of a second build for ``--json``."""
    return {
        "environment": done.built.locked.lock.name,
        "lock-id": done.built.locked.id,
        "image": done.built.image,
        "rebuilt": done.image,
        "same": done.same,
        "differences": list(done.differences),
    }


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
