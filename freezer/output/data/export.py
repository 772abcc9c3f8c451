"""Output of `freeze data export`: the description, or where it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.output.text import plural

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from freezer.flows.data.export import Exported


def show(found: Exported, file: Path | None, console: Console) -> None:
    """Print the description itself, or in one line where it was written."""
    text = found.data.decode()
    if file is not None:
        text = f"{plural(found.files, 'file')} of {found.name} described in {file}\n"
    console.print(text, markup=False, highlight=False, soft_wrap=True, end="")


def document(found: Exported, file: Path | None) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "name": found.name,
        "digest": found.digest,
        "files": found.files,
        "left-out": found.left_out,
        "file": None if file is None else str(file),
        "text": None if file is not None else found.data.decode(),
    }
