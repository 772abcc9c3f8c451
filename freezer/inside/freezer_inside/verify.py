"""Say what is in this image: run inside it, as root, with no network and nothing writable.

    python /opt/freezer/freezer_inside/verify.py ROOT...

Prints one JSON document: every file below the given roots with its SHA-256, the Debian packages
and what dpkg finds changed in them, the Python distributions as ``importlib.metadata`` sees them,
and what ``pip check`` says. It judges nothing; the host compares it with the lock.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

Entry = Tuple[str, os.stat_result]
Outcome = Optional[Tuple[int, str]]

CHUNK = 1 << 20


def hash_file(path: str) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    hasher = hashlib.sha256()
    with open(path, "rb") as stream:
        while True:
            block = stream.read(CHUNK)
            if not block:
                return hasher.hexdigest()
            hasher.update(block)


def walk(root: str) -> Iterator[Entry]:
    """Yield ``(path, lstat)`` of everything below a root but the folders, in sorted order."""
    for folder, folders, files in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(name for name in folders if name not in links)
        for name in sorted(files + links):
            path = os.path.join(folder, name)
            yield path, os.lstat(path)


def describe(entry: Entry) -> Tuple[str, List[object]]:
    """Return ``[kind, content, size, mode]`` of one path; content is a hash or a link's target."""
    path, info = entry
    mode = stat.S_IMODE(info.st_mode)
    if stat.S_ISLNK(info.st_mode):
        return path, ["link", os.readlink(path), 0, mode]
    if stat.S_ISREG(info.st_mode):
        return path, ["file", hash_file(path), info.st_size, mode]
    return path, ["other", "", 0, mode]


def files(roots: Sequence[str]) -> Dict[str, List[object]]:
    """Return every file below the roots; hashing releases the interpreter's lock."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return dict(
            pool.map(describe, (entry for root in roots for entry in walk(root)), chunksize=1)
        )


def run(*command: str) -> Outcome:
    """Return ``(exit status, output)`` of a command, or None when there is no such command."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except OSError:
        return None
    return (done.returncode, done.stdout.decode("utf-8", "replace"))


def debian_packages() -> Optional[List[List[str]]]:
    """Return ``[name, version, architecture]`` of every installed Debian package."""
    form = "${binary:Package}\\t${Version}\\t${Architecture}\\t${db:Status-Status}\\n"
    listed = run("dpkg-query", "--show", "--showformat=" + form)
    if listed is None:
        return None
    rows = [line.split("\t") for line in listed[1].splitlines()]
    return sorted(
        [row[0].split(":")[0], row[1], row[2]]
        for row in rows
        if len(row) == 4 and row[3] == "installed"
    )


def distributions() -> List[List[str]]:
    """Return ``[name, version]`` of every Python distribution in the environment."""
    return sorted([item.metadata["Name"], item.version] for item in metadata.distributions())


def main(roots: Sequence[str]) -> None:
    """Print the document."""
    python = sys.executable
    json.dump(
        {
            "python": platform.python_version(),
            "prefix": sys.prefix,
            "libc": list(platform.libc_ver()),
            "machine": platform.machine(),
            "files": files(roots),
            "debian": debian_packages(),
            "dpkg_verify": run("dpkg", "--verify"),
            "distributions": distributions(),
            "pip_check": run(python, "-m", "pip", "check", "--disable-pip-version-check"),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
