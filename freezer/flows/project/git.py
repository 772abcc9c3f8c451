"""The author and the commit, from git. Never required: without git both are unknown."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from freezer.fetch.http.redact import redact

_PATIENCE = 5.0
"""Seconds; a git on a dead network drive must not hold up anything."""
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True)
class Author:
    """The user, as far as git knows."""

    who: str | None = None
    """``Name <mail>``, or one of the two."""
    commit: str | None = None
    """The commit that is checked out."""


def author(folder: Path) -> Author:
    """Return the author and the commit that git reports for a folder. Raises nothing."""
    questions = (
        ("config", "--null", "--get-regexp", r"^user\.(name|email)$"),
        ("rev-parse", "--verify", "--quiet", "HEAD"),
    )
    with ThreadPoolExecutor() as pool:  # git takes longer to start than to answer
        settings, commit = pool.map(lambda question: _git(folder, *question), questions)
    # Each is ``key``, a line end and the value; the last of a key is the one that counts.
    user = dict(item.split("\n", 1) for item in settings.split("\0") if "\n" in item)
    name = one_line(os.environ.get("GIT_AUTHOR_NAME") or user.get("user.name", ""), 100)
    mail = one_line(os.environ.get("GIT_AUTHOR_EMAIL") or user.get("user.email", ""), 100)
    who = f"{name} <{mail}>" if name and mail else name or mail
    return Author(who or None, commit if _COMMIT.fullmatch(commit) else None)


def committed(folder: Path, path: str) -> bytes:
    """Return a file as it is in the commit that is checked out; nothing where it is in none."""
    return _asked(folder, "show", f"HEAD:./{path}")


def place_in_repository(folder: Path) -> tuple[str, Path]:
    """Return a folder's path in its repository, and the repository's top.

    Outside of a repository the folder itself is the top.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top:
        return "", folder
    try:
        inner = folder.resolve().relative_to(Path(top).resolve())
    except ValueError:
        return "", folder
    return "" if inner == Path() else str(inner), Path(top)


def one_line(text: str, longest: int = 1000) -> str:
    """Return a text as one printable line without the credentials of any URL in it."""
    line = " ".join(redact(text).split())
    line = "".join(one for one in line if one.isprintable())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _git(folder: Path, *arguments: str) -> str:
    """Return what git says, without the line end; nothing where it cannot say."""
    return _asked(folder, *arguments).decode(errors="replace").strip()


def _asked(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout if done.returncode == 0 else b""
