"""Lists and hashes the files in a run's output folder."""

from __future__ import annotations

import os
import stat
from itertools import islice
from typing import TYPE_CHECKING, Final

from freezer.data.entry import Stat
from freezer.data.hashing import hash_files
from freezer.errors import DataError
from freezer.model.record.run import Output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.model.events import Reporter

MOST: Final = 100_000
"""Maximum number of files recorded per run."""
DEEPEST: Final = 100
"""Maximum depth of folders."""


def list_outputs(folder: Path, report: Reporter) -> tuple[tuple[Output, ...], tuple[str, ...]]:
    """Return the files of a folder, and the entries that cannot be recorded, with reasons.

    A training can leave anything there: links, pipes, files that nobody may read, or no folder.
    """
    files: list[Stat] = []
    left_out: list[str] = []
    for path, found in _below(folder, "", 0):
        if isinstance(found, str):
            left_out.append(f"{ascii(path)[1:-1]} ({found})")
        elif len(files) < MOST:
            files.append(Stat(path, "f", found.st_size, found.st_ino, 0, 0))
        else:
            left_out.append(f"more than {MOST} files")
            break
    total = sum(one.size for one in files)
    hashed: dict[str, tuple[Stat, str]] = {}
    with report.task("Hashing the outputs", total=total, unit="bytes") as task:
        try:
            hashed = hash_files(folder, files, task, name="output")
        except DataError:
            for one in files:  # one of them cannot be read: find out which
                try:
                    hashed |= hash_files(folder, [one], task, name="output")
                except DataError as error:
                    left_out.append(f"{ascii(one.path)[1:-1]} ({error.found or error.what})")
    outputs = (_output(folder, path, *found) for path, found in sorted(hashed.items()))
    return tuple(outputs), tuple(left_out)


def output_sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each file of a folder by its path; of as many as are recorded."""
    files = (one for one in _below(folder, "", 0) if not isinstance(one[1], str))
    return {path: found.st_size for path, found in islice(files, MOST)}  # type: ignore[union-attr]


def _output(folder: Path, path: str, state: Stat, sha256: str) -> Output:
    from freezer.check.artifacts.content import content_digest  # knows many formats

    kind, content = content_digest(folder / path) or (None, None)
    return Output(path, state.size, sha256, content, kind)


def _below(root: Path, folder: str, depth: int) -> Iterator[tuple[str, os.stat_result | str]]:
    """Yield each file below a folder with its status, and other entries with a description."""
    try:
        with os.scandir(root / folder) as entries:
            children = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield folder or ".", error.strerror or str(error)
        return
    for entry in children:
        path = f"{folder}/{entry.name}" if folder else entry.name
        try:
            path.encode()
            status = entry.stat(follow_symlinks=False)
        except UnicodeEncodeError:
            yield path, "its name is not UTF-8"
            continue
        except OSError as error:
            yield path, error.strerror or str(error)
            continue
        if stat.S_ISREG(status.st_mode):
            yield path, status
        elif not stat.S_ISDIR(status.st_mode):
            yield path, _KINDS.get(stat.S_IFMT(status.st_mode), "no file")
        elif depth < DEEPEST:
            yield from _below(root, path, depth + 1)
        else:
            yield path, f"over {DEEPEST} folders deep"


_KINDS: Final = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}
