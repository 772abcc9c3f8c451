"""Output of ``freeze lock``: a summary for users, a JSON document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.ecosystems import INSTALLED
from freezer.flows.project.image_runtime import installed_runtime
from freezer.model.canonical import plain
from freezer.model.lockfile import LOCK_FILE, short_id
from freezer.output.text import plural, show_rows, size

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from freezer.ecosystems.interface import Ecosystem
    from freezer.flows.lock.lock import LockResult
    from freezer.flows.project.environment import Locked
    from freezer.model.lock import Lock

_SHOWN = 40
"""Maximum listed changes."""
_OTHER_RUNTIME = (
    "it can be built with the runtime that is stored next to it; "
    "`freeze lock` would use the runtime of this version of Freezer, which differs"
)


def show(result: LockResult, project: Path, console: Console) -> None:
    """Print what was locked and what changed."""
    lock, lock_id = result.locked.lock, result.locked.id
    file = _relative(result.locked.folder / LOCK_FILE, project)
    if not result.changed:
        console.print(f"{lock.name}: nothing changed, lock {short_id(lock_id)}", highlight=False)
        return
    for change in result.changes[:_SHOWN]:
        console.print(f"  {escape(change)}", highlight=False, soft_wrap=True)
    if len(result.changes) > _SHOWN:
        console.print(f"  and {len(result.changes) - _SHOWN} more", highlight=False)
    if result.first:
        show_rows(_facts(lock), console)
    else:
        show_rows(exceptions(lock), console)
    console.print(f"{lock.name}: lock {short_id(lock_id)} in {file}", highlight=False)


def show_checked(locked: Locked, console: Console) -> None:
    """Print that a lock still satisfies its spec."""
    text = f"{locked.lock.name}: lock {short_id(locked.id)} satisfies the spec"
    console.print(text, highlight=False)
    if locked.lock.inside != installed_runtime():
        console.print(f"  {_OTHER_RUNTIME}", highlight=False, soft_wrap=True)


def document(locked: Locked) -> dict[str, Any]:
    """Return the facts of a lock for ``--json``."""
    lock = locked.lock
    return {
        "environment": lock.name,
        "lock-id": locked.id,
        "file": str(locked.folder / LOCK_FILE),
        "as-of": lock.as_of,
        "exceptions": {name: plain(newer) for name, newer in lock.exceptions.items()},
        "python": lock.target.python.version,
        "base": plain(lock.base)["config"],
        "packages": {one.name: len(one.packages(lock)) for one in INSTALLED},
        "accelerator": plain(lock.accelerator) if lock.accelerator else None,
        "blas": lock.blas,
        "steps": plain(lock.steps) if lock.steps else None,
        "inside": {**plain(lock.inside), "current": lock.inside == installed_runtime()},
        "components": [plain(component) for component in lock.components],
    }


def _facts(lock: Lock) -> list[tuple[str, str]]:
    rows = [
        ("base", _base(lock)),
        (
            "target",
            (
                f"{lock.target.distribution}, glibc {lock.target.glibc}, "
                f"Python {lock.target.python.version}, {lock.target.architecture}"
            ),
        ),
        *(row for ecosystem in INSTALLED for row in _ecosystem(ecosystem, lock)),
        *_steps(lock),
        *_accelerator(lock),
    ]
    rows += [(role, ", ".join(items)) for role, items in _components(lock).items()]
    return [*rows, ("as of", lock.as_of), *exceptions(lock)]


def exceptions(lock: Lock) -> list[tuple[str, str]]:
    """Return a row for each package that may be newer than the lock's cut-off, with the reason."""
    return [
        ("  newer", f"{name}, up to {newer.as_of}: {newer.reason}")
        for name, newer in lock.exceptions.items()
    ]


def _ecosystem(ecosystem: Ecosystem, lock: Lock) -> list[tuple[str, str]]:
    """Return the number of packages, and for conda the solver's platform."""
    packages = ecosystem.packages(lock)
    if ecosystem.name not in lock.answers and not packages:
        return []
    channels = dict.fromkeys(getattr(one, "channel", None) for one in packages)
    source = f" from {', '.join(filter(None, channels))}" if any(channels) else ""
    total = sum(getattr(one, "size", 0) for one in packages)
    rows = [(ecosystem.name, f"{plural(len(packages), 'package')}{source}, {size(total)}")]
    for platform, others in ecosystem.other_platforms(lock).items():
        rows.append((f"  {platform}", plural(len(others), "package")))
    if ecosystem.declared(lock):
        declared = " ".join(f"{k}={v}" for k, v in ecosystem.declared(lock).items())
        rows.append(("declared", declared))
    return rows


def _steps(lock: Lock) -> list[tuple[str, str]]:
    if lock.steps is None:
        return []
    commands, files = len(lock.steps.run), len(lock.steps.files)
    with_files = f" with {plural(files, 'file')}" if files else ""
    return [("steps", f"{plural(commands, 'command')}{with_files}, run above all packages")]


def _accelerator(lock: Lock) -> list[tuple[str, str]]:
    chosen = lock.accelerator
    if chosen is None:
        return []
    cudnn = f", cuDNN {chosen.cudnn}" if chosen.cudnn else ""
    driver = f", driver {chosen.driver}" if chosen.driver else ""
    return [("accelerator", f"CUDA {chosen.cuda}{cudnn}{driver}")]


def _components(lock: Lock) -> dict[str, list[str]]:
    """Return the numeric components by role, without duplicates of several files."""
    found: dict[str, list[str]] = {}
    for item in lock.components:
        text = f"{item.name} {item.version} ({item.provider})"
        if item.role not in ("python", "libc") and text not in found.get(item.role, []):
            found.setdefault(item.role, []).append(text)
    return found


def _base(lock: Lock) -> str:
    if lock.base.kind == "registry":
        return f"{lock.base.reference}@{lock.base.manifest}"
    count, total = len(lock.base.packages), sum(item.size for item in lock.base.packages)
    return f"Debian {lock.base.suite}, made from {plural(count, 'package')}, {size(total)}"


def _relative(path: Path, project: Path) -> str:
    return str(path.relative_to(project)) if path.is_relative_to(project) else str(path)
