"""Which files of the code differ between two runs: by their commits, and by their patches."""

from __future__ import annotations

import hashlib
import re
from itertools import combinations
from typing import TYPE_CHECKING, Final

from freezer.flows.runs.code import git_output

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PAIR: Final = re.compile(rb"([0-9a-f]{40,64}) ([0-9a-f]{40,64})\n")
_HEADER: Final = b"diff --git "
_SIGNS: Final = {b"A": "+", b"D": "-"}
"""Of git's letters for what became of a file; of all others ``~``."""


def commit_changes(folder: Path, commits: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """Return a line for each file that differs, for each pair of commits in their order.

    ``+`` is in the second commit only, ``-`` in the first only, ``~`` differs. A commit that the
    repository does not have (it was run elsewhere, or rewritten) is in no pair. All pairs take two
    calls of git.
    """
    usable = dict.fromkeys(one for one in commits if _COMMIT.fullmatch(one))
    trees = _trees(folder, [*usable]) if len(usable) > 1 else {}
    pairs = {pair: (trees[pair[0]], trees[pair[1]]) for pair in combinations(trees, 2)}
    if not pairs:
        return {}
    asked = "".join(f"{old} {new}\n" for old, new in dict.fromkeys(pairs.values()))
    good, answer, _ = git_output(
        folder, "diff-tree", "-r", "-z", "--name-status", "--no-renames", "--stdin",
        data=asked.encode(),
    )  # fmt: skip
    if not good:
        return {}
    found = _changes(answer)
    return {pair: found.get(both, []) for pair, both in pairs.items()}


def patched_files(patch: bytes) -> dict[str, str]:
    """Return the files that a patch changes, each with a digest of what it changes."""
    found: dict[str, str] = {}
    for part in re.split(rb"^(?=diff --git )", patch, flags=re.MULTILINE):
        if part.startswith(_HEADER):
            header = part[len(_HEADER) :].partition(b"\n")[0]
            found[_path(header)] = hashlib.sha256(part).hexdigest()[:16]
    return found


def patch_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return a line for each file that two patches change in different ways."""
    return [
        f"~ {path}" for path in sorted(old.keys() | new.keys()) if old.get(path) != new.get(path)
    ]


def _trees(folder: Path, commits: Sequence[str]) -> dict[str, str]:
    """Return the tree of each commit that the repository has."""
    asked = "".join(f"{one}^{{tree}}\n" for one in commits).encode()
    good, answer, _ = git_output(folder, "cat-file", "--batch-check", data=asked)
    lines = answer.decode(errors="replace").splitlines() if good else []
    if len(lines) != len(commits):
        return {}
    words = [line.split(" ") for line in lines]
    return {
        commit: found[0]
        for commit, found in zip(commits, words, strict=True)
        if found[1:2] == ["tree"]
    }


def _changes(answer: bytes) -> dict[tuple[str, str], list[str]]:
    """Return the lines for each pair of trees in git's answer.

    A pair ends in a line feed and not in a zero byte, so that it stands before the letter of its
    first file; one without a file stands before the next pair.
    """
    found: dict[tuple[str, str], list[str]] = {}
    lines: list[str] = []
    tokens: Iterator[bytes] = iter(answer.split(b"\0"))
    for token in tokens:
        letter = token
        while (pair := _PAIR.match(letter)) is not None:
            lines = found.setdefault((pair[1].decode(), pair[2].decode()), [])
            letter = letter[pair.end() :]
        if letter:
            path = next(tokens, b"").decode("utf-8", "surrogateescape")
            lines.append(f"{_SIGNS.get(letter, '~')} {path}")
    return found


def _path(header: bytes) -> str:
    """Return the path in ``a/PATH b/PATH``, where git may have quoted both."""
    half = header[: len(header) // 2]
    if not half.startswith(b'"'):
        return half[2:].decode("utf-8", "surrogateescape")
    plain = half[3:-1].decode("unicode_escape", "replace")  # as C quotes: \t, \", \303\244
    return plain.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
