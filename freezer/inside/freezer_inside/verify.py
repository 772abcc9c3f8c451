"""Say what is in this image: run inside it, as root, with no network and nothing writable.

    python /opt/freezer/freezer_inside/verify.py [--hash=PIECE]... [--no-dpkg] ROOT...

Prints one JSON document: every file below the given roots with its SHA-256, the Debian packages
and what dpkg finds changed in them, the Python distributions as ``importlib.metadata`` sees them,
and what ``pip check`` says. It judges nothing; the host compares it with the lock.

With ``--hash`` only some files are hashed, and of the others the hash is empty: the pieces together
are the base64 of a zlib-compressed JSON list of paths. With ``--rest=SHA256`` these others are not
listed at all if that is the digest of their lines, sorted: they are 30,000, and nothing about them
is new. With ``--no-dpkg`` dpkg is not asked what
was changed. The host says so of what lies in layers that were hashed where they lie now.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import stat
import subprocess
import sys
import zlib
from importlib import metadata
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

Entry = Tuple[str, os.stat_result]
Facts = List[object]
Outcome = Optional[Tuple[int, str]]

CHUNK = 1 << 18
PER_FILE = 50_000
"""Opening a file costs as much as hashing so many bytes."""
WORTH = 50_000_000
"""Bytes of work from which on a second process is worth its start."""
BUFFER = memoryview(bytearray(CHUNK))


def hash_file(path: str) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    hasher = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # Into one buffer: with a new one for each of 30,000 files the kernel clears pages.
        while True:
            size = os.readv(descriptor, [BUFFER])
            if not size:
                return hasher.hexdigest()
            hasher.update(BUFFER[:size])
    finally:
        os.close(descriptor)


def walk(root: str) -> Iterator[Entry]:
    """Yield ``(path, lstat)`` of everything below a root but the folders."""
    pending = [root]
    while pending:
        with os.scandir(pending.pop()) as items:
            for item in items:
                if item.is_dir(follow_symlinks=False):
                    pending.append(item.path)
                else:
                    yield item.path, item.stat(follow_symlinks=False)


def describe(entry: Entry, hashed: Optional[Set[str]]) -> Tuple[str, Facts]:
    """Return ``[kind, content, size, mode]`` of one path; content is a hash or a link's target."""
    path, info = entry
    mode = stat.S_IMODE(info.st_mode)
    if stat.S_ISLNK(info.st_mode):
        return path, ["link", os.readlink(path), 0, mode]
    if stat.S_ISREG(info.st_mode):
        wanted = hashed is None or path in hashed
        return path, ["file", hash_file(path) if wanted else "", info.st_size, mode]
    return path, ["other", "", 0, mode]


def files(
    roots: Sequence[str], hashed: Optional[Set[str]] = None, rest: str = ""
) -> Tuple[Dict[str, Facts], bool]:
    """Return every file below the roots, and whether those that are not hashed are left out.

    They are where their digest is ``rest``. As many processes hash as there are CPUs.
    """
    entries = [entry for root in roots for entry in walk(root)]
    wanted = [entry for entry in entries if hashed is None or entry[0] in hashed]
    others = [
        describe(entry, hashed)
        for entry in entries
        if hashed is not None and entry[0] not in hashed
    ]
    if others and digest(others) == rest:
        return hash_all(wanted, hashed), True
    return {**dict(others), **hash_all(wanted, hashed)}, False


def hash_all(entries: List[Entry], hashed: Optional[Set[str]]) -> Dict[str, Facts]:
    """Describe files, shared out among processes where that is worth the while."""
    heavy = sum(entry[1].st_size + PER_FILE for entry in entries) > WORTH
    shares = deal(entries, (os.cpu_count() or 1) if heavy else 1)
    others = [in_child(share, hashed) for share in shares[1:]]
    found = dict(describe(entry, hashed) for entry in shares[0])
    for result in others:
        found.update(result())
    return found


def digest(described: Sequence[Tuple[str, Facts]]) -> str:
    """Return the SHA-256 of the sorted lines of files: path, kind, link's target, size, mode.

    A link's mode says nothing.
    """
    lines = sorted(
        "%s\0%s\0%s\0%s\0%s\n" % (path, kind, content, size, "" if kind == "link" else mode)
        for path, (kind, content, size, mode) in described
    )
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def deal(entries: List[Entry], count: int) -> List[List[Entry]]:
    """Share files out, the heaviest first, so that all shares weigh about the same."""
    shares: List[List[Entry]] = [[] for _ in range(count)]
    weights = [0] * count
    for entry in sorted(entries, key=lambda entry: -entry[1].st_size):
        lightest = weights.index(min(weights))
        shares[lightest].append(entry)
        weights[lightest] += entry[1].st_size + PER_FILE
    return shares


def in_child(share: List[Entry], hashed: Optional[Set[str]]) -> Callable[[], Dict[str, Facts]]:
    """Describe files in a child process; return a function that waits for what comes out.

    That raises ``ValueError`` when the child failed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)

        def result() -> Dict[str, Facts]:
            with os.fdopen(reader) as stream:
                found: Dict[str, Facts] = json.load(stream)
            os.waitpid(child, 0)
            return found

        return result
    try:
        os.close(reader)
        with os.fdopen(writer, "w") as stream:
            json.dump(dict(describe(entry, hashed) for entry in share), stream)
    except (OSError, ValueError) as error:
        print(repr(error), file=sys.stderr, flush=True)
    finally:
        os._exit(0)  # it must end here, and not run on as a second parent


def begin(*command: str) -> Callable[[], Outcome]:
    """Start a command; return a function that waits for ``(exit status, output)``.

    That returns None when there is no such command.
    """
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError:
        return lambda: None

    def result() -> Outcome:
        output = process.communicate()[0]
        return (process.returncode, output.decode("utf-8", "replace"))

    return result


def debian_packages() -> Optional[List[List[str]]]:
    """Return ``[name, version, architecture]`` of every installed Debian package."""
    form = "${binary:Package}\\t${Version}\\t${Architecture}\\t${db:Status-Status}\\n"
    listed = begin("dpkg-query", "--show", "--showformat=" + form)()
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


def main(arguments: Sequence[str]) -> None:
    """Print the document."""
    roots = [item for item in arguments if not item.startswith("--")]
    pieces = [item[len("--hash=") :] for item in arguments if item.startswith("--hash=")]
    hashed = json.loads(zlib.decompress(base64.b64decode("".join(pieces)))) if pieces else None
    rest = "".join(item[len("--rest=") :] for item in arguments if item.startswith("--rest="))
    python = sys.executable
    nothing: Callable[[], Outcome] = lambda: None  # noqa: E731
    dpkg = nothing if "--no-dpkg" in arguments else begin("dpkg", "--verify")
    pip = begin(python, "-m", "pip", "check", "--disable-pip-version-check")
    found, left_out = files(roots, None if hashed is None else set(hashed), rest)
    json.dump(
        {
            "python": platform.python_version(),
            "prefix": sys.prefix,
            "libc": list(platform.libc_ver()),
            "machine": platform.machine(),
            "files": found,
            "rest": left_out,
            "debian": debian_packages(),
            "dpkg_verify": dpkg(),
            "distributions": distributions(),
            "pip_check": pip(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
