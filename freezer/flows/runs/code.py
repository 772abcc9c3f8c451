"""The user's code as git has it: commit, branch, and everything that the commit does not hold."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import DirtyTreeError, Where
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST: Final = 16 << 20
"""Bytes of a patch that is kept."""
_PATIENCE: Final = 60.0
_SECRETS: Final = (
    ".env",
    ".env.*",
    "*.pem",
    "*.key",
    "id_rsa*",
    "id_ed25519*",
    ".netrc",
    ".pypirc",
)
"""Files that never enter a patch: what is in them is no code."""


@dataclass(frozen=True)
class Code:
    """The state of a working tree. All of it is empty where there is no git."""

    commit: str = ""
    branch: str = ""
    remote: str = ""
    """Without credentials."""
    patch: bytes = b""
    """What ``git apply --index`` makes the working tree of, on top of the commit; new files too."""
    changed: tuple[str, ...] = ()
    """Paths that differ from the commit."""
    left_out: tuple[str, ...] = ()
    """Changed paths that the patch does not hold: secrets, or more than ``LARGEST`` bytes."""

    @property
    def dirty(self) -> bool:
        """Whether the tree differs from its commit."""
        return bool(self.changed)


def code_of(folder: Path) -> Code:
    """Return the state of the tree that a folder is in. Raises nothing."""
    commit = _line(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return Code()
    with tempfile.TemporaryDirectory(prefix="freezer-") as scratch:
        # An index of its own: the user's is not touched, and new files are seen as well.
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        _git(folder, "read-tree", "HEAD", more=index)
        _git(folder, "add", "--all", "--", ":/", more=index)
        names = _git(folder, "diff", "--cached", "--name-only", "-z", "HEAD", more=index)
        changed = [name for name in names.decode(errors="surrogateescape").split("\0") if name]
        secret = [f":(top,exclude,glob)**/{one}" for one in _SECRETS]
        patch, left_out = _patch(folder, index, secret), [one for one in changed if _secret(one)]
        if len(patch) > LARGEST:
            patch, left_out = b"", changed
    return Code(
        commit=commit,
        branch=_line(folder, "rev-parse", "--abbrev-ref", "HEAD"),
        remote=redact(_line(folder, "config", "--get", "remote.origin.url")),
        patch=patch,
        changed=tuple(changed),
        left_out=tuple(left_out),
    )


def require_clean(code: Code) -> None:
    """Refuse a tree that differs from its commit, or that is in none. Raises ``DirtyTreeError``."""
    if not code.commit:
        raise DirtyTreeError(
            "--clean needs a commit, and this folder is in no git repository with one",
            hint="commit the code first, or leave out --clean",
        )
    if code.dirty:
        raise DirtyTreeError(
            "the working tree differs from its commit",
            where=Where(code.changed[0]),
            details=code.changed[:20],
            hint="commit or stash these, or leave out --clean: a patch is then kept with the run",
        )


def _patch(folder: Path, index: dict[str, str], secret: Sequence[str]) -> bytes:
    return _git(
        folder, "diff", "--cached", "--binary", "--full-index", "--no-ext-diff", "--no-color",
        "HEAD", "--", ":/", *secret, more=index,
    )  # fmt: skip


def _secret(path: str) -> bool:
    name = Path(path).name
    return any(Path(name).match(pattern) for pattern in _SECRETS)


def _line(folder: Path, *arguments: str) -> str:
    return _git(folder, *arguments).decode(errors="replace").strip()


def _git(folder: Path, *arguments: str, more: dict[str, str] | None = None) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            env={**os.environ, **(more or {})},
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout if done.returncode == 0 else b""
