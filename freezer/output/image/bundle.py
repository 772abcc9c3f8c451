"""Output of ``freeze bundle``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.model.lockfile import short_id
from freezer.output.text import plural, size

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.image.bundle import Bundled


def show(bundled: Bundled, console: Console, *, written: bool) -> None:
    """Print the contents of a bundle, and the next step."""
    what = f"{plural(bundled.files, 'file')}, {size(bundled.size)}"
    state = "written to" if written else "complete and verified:"
    text = (
        f"{bundled.environment}: bundle of lock {short_id(bundled.lock_id)} {state} {bundled.path}"
    )
    console.print(f"{text} ({what})", highlight=False, soft_wrap=True, markup=False)
    if written:
        console.print("  next: freeze build --bundle FILE, on any host with an engine")


def document(bundled: Bundled) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": bundled.environment,
        "lock-id": bundled.lock_id,
        "file": str(bundled.path),
        "files": bundled.files,
        "bytes": bundled.size,
    }
