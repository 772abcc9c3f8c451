"""The state of the user's code in git: commit, branch, and a patch of uncommitted changes."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final, NamedTuple

from freezer.errors import DirtyTreeError, RunError, Where
from freezer.fetch.http.secret_words import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST: Final = 16 << 20
"""Maximum bytes of a patch, and of one changed file in it."""
_PATIENCE: Final = 60.0
_SECRETS: Final = (
    ".env", ".env.*", ".envrc", "*.pem", "*.key", "*.p12", "*.pfx", "*.kdbx", "*.jks", "id_rsa*",
    "id_ed25519*", "id_ecdsa*", "id_dsa*", ".netrc", ".pypirc", ".npmrc", ".git-credentials",
    ".htpasswd", "credentials", "credentials.*", "kaggle.json", "secret.*", "secrets.*",
    "service-account*.json", "service_account*.json",
)  # fmt: skip
"""Files that never enter a patch: they hold secrets, not code."""
_LOCAL: Final = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_GRAFT_FILE",
    "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS",
)  # fmt: skip


@dataclass(frozen=True)
class Code:
    """The state of a working tree. All of it is empty where there is no git."""

    commit: str = ""
    branch: str = ""
    remote: str = ""
    """Without credentials."""
    patch: bytes = b""
    """The difference from the commit, for ``git apply --index``; includes new files."""
    changed: tuple[str, ...] = ()
    """Paths that differ from the commit."""
    left_out: tuple[str, ...] = ()
    """Changed paths that are not in the patch: secrets, or files of more than ``LARGEST`` bytes."""
    files: str = ""
    """SHA-256 over names and contents of all files but those of Freezer; empty where a changed file
    is left out. Equal for equal code, whatever commit and patch it is made of."""

    @property
    def dirty(self) -> bool:
        """Whether the tree differs from its commit."""
        return bool(self.changed)


def code_of(folder: Path, apart: Sequence[str] = ()) -> Code:
    """Return the state of the working tree that contains a folder; empty without git.

    ``apart`` are files of the folder, as patterns, that do not count as code: their effect is
    recorded elsewhere. The user's index and objects are not touched. Raises ``RunError`` when git
    is there and fails: a tree that could not be read must not pass for a clean one.
    """
    commit = _line(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        if _line(folder, "rev-parse", "--git-dir") or _is_repository(folder):
            _require(folder, "rev-parse", "--git-dir")  # such as one that belongs to somebody else
        return Code()
    tree = _work_tree(folder)
    if tree is None:
        return Code(commit=commit, branch=_branch(folder), remote=_remote(folder))
    top = tree.top
    with _scratch_index(folder, tree) as index:
        names = _names(_require(top, "diff", "--name-only", "-z", "HEAD", more=index))
        new = _names(_require(top, "ls-files", "-z", "--others", "--exclude-standard", more=index))
        changed = sorted({*names, *new})
        dirty = _dirty_submodules(top)
        left_out = {one for one in changed if is_secret_file(one) or _large(top / one)}
        taken = [one for one in changed if one not in left_out]
        patch = _patch(top, taken, index)
        files = "" if left_out or dirty else _files_digest(tree, index, apart)
        if len(patch) > LARGEST:
            patch, left_out = b"", set(changed)
    return Code(
        commit=commit,
        branch=tree.branch,
        remote=_remote(folder),
        patch=patch,
        changed=tuple(sorted({*changed, *dirty})),
        left_out=tuple(sorted({*left_out, *dirty})),
        files=files,
    )


def require_clean(code: Code) -> None:
    """Require a commit and an unchanged working tree. Raises ``DirtyTreeError``."""
    if not code.commit:
        raise DirtyTreeError(
            "--clean needs a commit, and this folder is not in a git repository with one",
            hint="commit the code first, or leave out --clean",
        )
    if code.dirty:
        raise DirtyTreeError(
            "the working tree differs from its commit",
            where=Where(code.changed[0]),
            details=code.changed[:20],
            hint="commit or stash these, or leave out --clean: a patch is then kept with the run",
        )


class _WorkTree(NamedTuple):
    """Where a working tree is, and what is checked out in it."""

    top: Path
    prefix: str
    """Path of the requested folder below ``top``; ends with a slash unless empty."""
    index_file: str
    """Path of the user's index, maybe relative to that folder; so is ``objects``."""
    objects: str
    branch: str


def _work_tree(folder: Path) -> _WorkTree | None:
    """Return the working tree that a folder is in; None in a repository without one.

    git takes longer to start than to answer: one call answers all. Where a path has a line end in
    it, the lines are ambiguous, and each is requested separately. Raises ``RunError``.
    """
    questions = (
        ("--is-inside-work-tree",), ("--show-toplevel",), ("--show-prefix",),
        ("--git-path", "index"), ("--git-path", "objects"), ("--abbrev-ref", "HEAD"),
    )  # fmt: skip
    good, answer, _ = git_output(folder, "rev-parse", *(word for one in questions for word in one))
    lines = os.fsdecode(answer).split("\n")
    if not good or len(lines) != len(questions) + 1 or lines[0] != "true":
        if _line(folder, "rev-parse", "--is-inside-work-tree") != "true":
            return None
        each = (os.fsdecode(_require(folder, "rev-parse", *one)) for one in questions)
        lines = [text.removesuffix("\n") for text in each]
    _, top, prefix, index, objects, branch = lines[: len(questions)]
    return _WorkTree(Path(top), prefix, index, objects, branch.strip())


@contextmanager
def _scratch_index(folder: Path, tree: _WorkTree) -> Iterator[dict[str, str]]:
    """Yield variables with which git uses a temporary index and object store.

    The index starts as the commit, with the user's file times, so that only changed files are read.
    """
    with tempfile.TemporaryDirectory(prefix="freezer-") as scratch:
        index = {
            "GIT_INDEX_FILE": f"{scratch}/index",
            "GIT_OBJECT_DIRECTORY": scratch,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str((folder / tree.objects).absolute()),
        }
        with suppress(OSError):
            # With its time: git reads a file whose time is that of the index, as it may have been
            # written once more within the same second. A copy of now would pass for up to date.
            shutil.copy2(folder / tree.index_file, f"{scratch}/index")
        if not git_output(folder, "read-tree", "--reset", "HEAD", more=index)[0]:
            Path(scratch, "index").unlink(missing_ok=True)
            _require(folder, "read-tree", "HEAD", more=index)
        git_output(folder, "update-index", "-q", "--really-refresh", more=index)
        yield index


def _patch(top: Path, paths: Sequence[str], index: dict[str, str]) -> bytes:
    if not paths:
        return b""
    listed = b"\0".join(os.fsencode(one) for one in paths)
    _require(
        top, "--literal-pathspecs", "add", "--all", "--force", "--sparse",
        "--pathspec-from-file=-", "--pathspec-file-nul", more=index, data=listed,
    )  # fmt: skip
    return _require(
        top, "diff", "--cached", "--binary", "--full-index", "--no-ext-diff", "--no-color",
        "--no-textconv", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/", "HEAD", more=index,
    )  # fmt: skip


def _files_digest(tree: _WorkTree, index: dict[str, str], apart: Sequence[str]) -> str:
    """Return a digest of the files that an index names: modes, blob IDs, paths."""
    # One expression for all patterns: a repository may have a hundred thousand files.
    set_apart = re.compile("|".join(map(translate, apart)) or "(?!)").match
    prefix = tree.prefix

    def counts(entry: str) -> bool:
        path = entry.partition("\t")[2]
        return not (path.startswith(prefix) and set_apart(path[len(prefix) :]))

    entries = _names(_require(tree.top, "ls-files", "--stage", "-z", more=index))
    return hashlib.sha256(os.fsencode("\0".join(filter(counts, entries)))).hexdigest()


def _dirty_submodules(top: Path) -> list[str]:
    """Return submodules with uncommitted changes: a patch of this repository has none of these."""
    if not (top / ".gitmodules").is_file():
        return []
    status = _require(top, "status", "--porcelain=v2", "-z", "--ignore-submodules=none")
    lines = (line.split(" ", 8) for line in os.fsdecode(status).split("\0"))
    return [
        parts[8]
        for parts in lines
        if len(parts) == 9 and parts[0] == "1" and parts[2][:1] == "S" and parts[2][2:] != ".."
    ]


def is_secret_file(path: str) -> bool:
    """Return whether a file's name is one of files that hold secrets."""
    name = PurePath(path).name.lower()
    return any(fnmatchcase(name, pattern) for pattern in _SECRETS)


def _large(path: Path) -> bool:
    try:
        return path.lstat().st_size > LARGEST
    except OSError:
        return False


def _branch(folder: Path) -> str:
    return _line(folder, "rev-parse", "--abbrev-ref", "HEAD")


def _remote(folder: Path) -> str:
    return redact_text(_line(folder, "config", "--get", "remote.origin.url"))


def _names(data: bytes) -> list[str]:
    return [name for name in os.fsdecode(data).split("\0") if name]


def _is_repository(folder: Path) -> bool:
    return any((one / ".git").exists() for one in (folder, *folder.absolute().parents))


def _line(folder: Path, *arguments: str) -> str:
    return git_output(folder, *arguments)[1].decode(errors="replace").strip()


def _require(
    folder: Path, *arguments: str, more: dict[str, str] | None = None, data: bytes | None = None
) -> bytes:
    """Return git's output. Raises ``RunError`` when git fails."""
    good, answer, complaint = git_output(folder, *arguments, more=more, data=data)
    if not good:
        raise RunError(
            "git cannot read the code, so that the run could not be reproduced",
            where=Where(str(folder)),
            found=redact_text(complaint.decode(errors="replace").strip())[-500:],
            hint="correct that, or ignore the files in question (.gitignore)",
        )
    return answer


def git_output(
    folder: Path, *arguments: str, more: dict[str, str] | None = None, data: bytes | None = None
) -> tuple[bool, bytes, bytes]:
    """Return whether git was successful, its stdout and its stderr. Raises nothing."""
    # Within a hook, git's own variables name another repository or index than the folder's.
    inherited = {name: text for name, text in os.environ.items() if name not in _LOCAL}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", "core.hooksPath=/dev/null", *arguments],
            check=False,
            capture_output=True,
            input=b"" if data is None else data,
            timeout=_PATIENCE,
            env={**inherited, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **(more or {})},
        )
    except OSError:
        return False, b"", b"git is not installed"
    except subprocess.SubprocessError as error:
        return False, b"", str(error).encode()
    return done.returncode == 0, done.stdout, done.stderr
