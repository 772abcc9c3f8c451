"""uv's workspaces: the root that a member's ``pyproject.toml`` takes settings from."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import SpecError, Where
from freezer.model.parsing import TomlError, parse_toml
from freezer.resolve.python.requirements.file import read_text

if TYPE_CHECKING:
    from pathlib import Path

_PROJECT: Final = "pyproject.toml"
_FARTHEST: Final = 8
"""Folders above a member in which its root is looked for."""
_CHANGES_PACKAGES: Final = ("index", "index-url", "extra-index-url", "find-links", "no-index",
                            "prerelease", "pip")  # fmt: skip
"""Keys of ``uv.toml`` that lead to other packages."""


def workspace_root(folder: Path) -> Path | None:
    """Return the ``pyproject.toml`` of the workspace that the project in ``folder`` belongs to.

    None where it belongs to none, or is the root itself.
    """
    whole = folder.absolute()
    for above in list(whole.parents)[:_FARTHEST]:
        if (whole / ".git").exists():
            return None
        member = whole.relative_to(above).as_posix()
        if _has_member(_workspace(above / _PROJECT), member):
            return above / _PROJECT
        if (above / ".git").exists():
            return None
    return None


def require_no_uv_toml(folder: Path, shown: str) -> None:
    """Refuse a ``uv.toml`` next to a project that changes where packages come from.

    uv takes its settings in the place of those in ``pyproject.toml``. Raises ``SpecError``.
    """
    path = folder / "uv.toml"
    if not path.is_file():
        return
    text = read_text(path, shown)
    try:
        table = parse_toml(text)
    except TomlError as error:
        raise SpecError("not valid TOML", where=Where(shown), found=str(error)) from error
    for key in _CHANGES_PACKAGES:
        if table.get(key):
            line = next((n for n, line in enumerate(text.splitlines(), 1) if key in line), None)
            raise SpecError(
                "the settings of this file decide where uv takes packages from, and are not read",
                where=Where(shown, line, key),
                hint="move them into [tool.uv] of the pyproject.toml next to it, or, where they "
                "are for this machine alone, into uv's or pip's user configuration",
            )


def _workspace(path: Path) -> dict[str, Any]:
    try:
        table: Any = parse_toml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, TomlError):
        return {}  # it is no project, or not this one's business
    for name in ("tool", "uv", "workspace"):
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _has_member(workspace: dict[str, Any], member: str) -> bool:
    """Say whether a workspace's patterns take a folder in; ``exclude`` goes first."""
    return _matches(workspace.get("members"), member) and not _matches(
        workspace.get("exclude"), member
    )


def _matches(patterns: Any, member: str) -> bool:
    """Match folder by folder, as uv does: ``packages/*`` is not ``packages/a/b``."""
    texts = (
        [item for item in patterns if isinstance(item, str)] if isinstance(patterns, list) else []
    )
    return any(_same_depth(item.removeprefix("./").rstrip("/"), member) for item in texts)


def _same_depth(pattern: str, member: str) -> bool:
    if "**" in pattern:
        return fnmatch(member, pattern) or fnmatch(member, pattern.replace("**/", ""))
    return pattern.count("/") == member.count("/") and fnmatch(member, pattern)
