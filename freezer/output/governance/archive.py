"""What ``freeze archive`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.errors import printable
from freezer.model.lockfile import short_id
from freezer.output.text import plural, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from freezer.flows.governance.archive.create import Archived
    from freezer.flows.governance.archive.prune import EnvironmentPruned, Pruned
    from freezer.flows.governance.archive.restore import Restored
    from freezer.flows.governance.archive.verify import Fixity
    from freezer.flows.governance.archive.versions import Entry


def _line(console: Console, text: str) -> None:
    console.print(printable(text), highlight=False, soft_wrap=True, markup=False)


def show_created(done: Archived, console: Console) -> None:
    """Print what was added."""
    written = done.written
    name = f"{done.environment}: lock {short_id(done.lock_id)}"
    if not written.new_files:
        _line(console, f"{name} is in {done.archive} already, as {written.version}")
        return
    new = f"{plural(written.new_files, 'file')} of {written.files}, {size(written.new_bytes)}, new"
    runs = f", with {plural(len(done.runs), 'run')}" if done.runs else ""
    signed = ", signed" if done.signed else ""
    _line(console, f"{name} archived in {done.archive} as {written.version}{runs}{signed} ({new})")


def created_document(done: Archived) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": done.environment,
        "lock-id": done.lock_id,
        "archive": done.archive,
        "version": done.written.version,
        "files": done.written.files,
        "new-files": done.written.new_files,
        "new-bytes": done.written.new_bytes,
        "runs": list(done.runs),
        "signed": done.signed,
    }


def show_listed(found: Sequence[Entry], console: Console) -> None:
    """Print each version on a line."""
    for one in found:
        what = f"{one.environment} {one.version}  {one.created}  {one.message[:17]}"
        runs = f", {plural(len(one.runs), 'run')}" if one.runs else ""
        signed = ", signed" if one.signed else ""
        _line(console, f"{what}  {plural(one.files, 'file')}{runs}{signed}")
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
                "runs": list(one.runs),
                "signed": one.signed,
            }
            for one in found
        ]
    }


def show_fixity(done: Fixity, console: Console) -> None:
    """Print whether the archive is what was written, and each file that is not."""
    for finding in done.findings:
        _line(console, f"  ✗ {finding}")
    count = plural(done.environments, "environment")
    if done.findings:
        _line(console, f"{done.archive}: {plural(len(done.findings), 'fault')} in {count}")
        return
    signed = "; the newest versions are signed" if done.signed else ""
    read = f"{size(done.size)}, every byte as it was written"
    _line(console, f"{done.archive}: {count}, {read}{signed}")


def fixity_document(done: Fixity) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "good": not done.findings,
        "archive": done.archive,
        "environments": done.environments,
        "bytes": done.size,
        "signatures-verified": done.signed,
        "findings": list(done.findings),
    }


def show_restored(done: Restored, console: Console) -> None:
    """Print what came back, and what to do next."""
    runs = f", {plural(len(done.runs), 'run')}" if done.runs else ""
    _line(
        console,
        f"{done.environment}: lock {short_id(done.lock_id)} restored from {done.version}, "
        f"{plural(done.files, 'file')}{runs}; next: freeze build {done.environment}",
    )


def restored_document(done: Restored) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": done.environment,
        "version": done.version,
        "lock-id": done.lock_id,
        "files": done.files,
        "runs": list(done.runs),
    }


def show_pruned(done: Pruned, console: Console) -> None:
    """Print each version and whether it stays, and why."""
    for environment in done.environments:
        for one in environment.versions:
            name = f"{environment.environment} v{one.number}  lock {short_id(one.lock_id or '?')}"
            _line(console, f"{name}  {_outcome(done, environment, one.reason)}")
        gone = [one for one in environment.versions if one.reason is None]
        if environment.blocked:
            _line(console, f"{environment.environment}: nothing removed: {environment.blocked}")
        elif gone and not done.dry_run:
            kept = plural(len(environment.versions) - len(gone), "version")
            _line(console, f"{environment.environment}: {kept} left, numbered from v1 again")
    for name in done.skipped:
        _line(console, f"{name}: not in this project, left alone; name it to prune it")
    if not done.environments and not done.skipped:
        _line(console, "the archive is empty")


def _outcome(done: Pruned, environment: EnvironmentPruned, reason: str | None) -> str:
    if reason is not None:
        return f"stays: {reason}"
    if environment.blocked:
        return "would go"
    return "would be removed" if done.dry_run else "removed"


def pruned_document(done: Pruned) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "archive": done.archive,
        "dry-run": done.dry_run,
        "skipped": list(done.skipped),
        "environments": [
            {
                "environment": environment.environment,
                "blocked": environment.blocked,
                "versions": [
                    {"version": f"v{one.number}", "lock-id": one.lock_id, "kept": one.reason}
                    for one in environment.versions
                ],
            }
            for environment in done.environments
        ],
    }
