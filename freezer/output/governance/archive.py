"""What ``freeze archive`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.model.lockfile import short_id
from freezer.output.text import plural, size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from freezer.flows.governance.archive import Archived, Entry, Fixity


def _line(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def show_created(done: Archived, console: Console) -> None:
    """Print what was added."""
    written = done.written
    name = f"{done.environment}: lock {short_id(done.lock_id)}"
    if not written.new_files:
        _line(console, f"{name} is in {done.root} already, as {written.version}")
        return
    new = f"{plural(written.new_files, 'file')} of {written.files}, {size(written.new_bytes)}"
    _line(console, f"{name} archived in {done.root} as {written.version} ({new}, new)")


def created_document(done: Archived) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": done.environment,
        "lock-id": done.lock_id,
        "archive": str(done.root),
        "version": done.written.version,
        "files": done.written.files,
        "new-files": done.written.new_files,
        "new-bytes": done.written.new_bytes,
    }


def show_listed(found: Sequence[Entry], console: Console) -> None:
    """Print each version on a line."""
    for one in found:
        what = f"{one.environment} {one.version}  {one.created}  {one.message[:17]}"
        _line(console, f"{what}  {plural(one.files, 'file')}")
    if not found:
        _line(console, "the archive is empty")


def listed_document(found: Sequence[Entry]) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "versions": [
            {
                "environment": one.environment,
                "version": one.version,
                "created": one.created,
                "message": one.message,
                "files": one.files,
            }
            for one in found
        ]
    }


def show_fixity(done: Fixity, root: Path, console: Console) -> None:
    """Print whether the archive is what was written, and each file that is not."""
    for finding in done.findings:
        _line(console, f"  ✗ {finding}")
    count = plural(done.environments, "environment")
    if done.findings:
        _line(console, f"{root}: {plural(len(done.findings), 'fault')} in {count}")
    else:
        _line(console, f"{root}: {count}, {size(done.size)}, every byte as it was written")


def fixity_document(done: Fixity) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "good": not done.findings,
        "environments": done.environments,
        "bytes": done.size,
        "findings": list(done.findings),
    }
