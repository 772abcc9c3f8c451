"""Compile Python files so that the same source always gives the same byte code.

    python -I -S -B bytecode.py FOLDER

``FOLDER/plan.json`` is a list of batches, each a list of ``[path in the image, bytes]``;
``FOLDER/sources`` holds the sources one after another, in the same order. What becomes of batch
``n`` is written to ``FOLDER/out/<n>``, five digits: for each file its length in 8 bytes, little
endian, and the content of its ``.pyc``; nothing but a length of -1 where it does not compile.
Few large files, because tens of thousands of small ones take longer to make and to remove than
to compile. Prints one JSON document: how many files were compiled, and which could not be.

``marshal`` writes a reference where an object has more than one owner, so what a file compiles to
depends on which strings the process happens to hold from files that it compiled before. Files are
therefore compiled in batches, each of one package and in sorted order, by a child of its own that
is forked from a parent that compiles nothing: what comes before a file is always the same. A child
for each file would do as well, and take twice as long.
"""

from __future__ import annotations

import json
import marshal
import os
import struct
import sys
import warnings
from importlib.util import MAGIC_NUMBER, source_hash
from typing import Dict, List, Optional, Tuple

Job = Tuple[str, int, int]
"""Path in the image, where its source begins, and its bytes."""
Batch = Tuple[str, List[Job]]
"""The file to write, and what is compiled for it."""

LENGTH = struct.Struct("<q")
UNCHECKED_HASH = b"\x01\0\0\0"
"""Valid by the hash of its source, which nobody compares (PEP 552)."""


def batches(folder: str) -> List[Batch]:
    """Return what is compiled together: of one package, so that no other has a say in it."""
    with open(os.path.join(folder, "plan.json"), "rb") as stream:
        plan = json.load(stream)
    found: List[Batch] = []
    offset = 0
    for number, files in enumerate(plan):
        jobs = []
        for path, size in files:
            jobs.append((path, offset, size))
            offset += size
        found.append((os.path.join(folder, "out", "%05d" % number), jobs))
    return found


def compile_one(path: str, source: bytes) -> Optional[bytes]:
    """Return the content of a ``.pyc``, as ``py_compile`` makes it; None when it cannot be."""
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return MAGIC_NUMBER + UNCHECKED_HASH + source_hash(source) + marshal.dumps(code)


def told(compiled: Optional[bytes]) -> bytes:
    """Return how one file's outcome is written."""
    return LENGTH.pack(-1) if compiled is None else LENGTH.pack(len(compiled)) + compiled


def start(sources: int, batch: Batch) -> int:
    """Compile a batch in a child; return the child's process ID."""
    child = os.fork()
    if child:
        return child
    status = 2
    try:
        target, jobs = batch
        with open(target, "wb") as stream:
            stream.writelines(
                told(compile_one(path, os.pread(sources, size, offset)))
                for path, offset, size in jobs
            )
        status = 0
    finally:
        os._exit(status)


def compile_all(sources: int, pending: List[Batch], workers: int) -> None:
    """Compile everything; a file that kills the compiler counts as one that does not compile."""
    running: Dict[int, Batch] = {}
    broken: List[Batch] = []
    left = list(reversed(pending))
    while left or running:
        while left and len(running) < workers:
            batch = left.pop()
            running[start(sources, batch)] = batch
        child, status = os.wait()
        batch = running.pop(child)
        if status:
            broken.append(batch)
    for batch in broken:
        one_by_one(sources, batch)


def one_by_one(sources: int, batch: Batch) -> None:
    """Compile a batch's files each in a child of its own."""
    target, jobs = batch
    alone = target + ".alone"
    with open(target, "wb") as stream:
        for job in jobs:
            _, status = os.waitpid(start(sources, (alone, [job])), 0)
            with open(alone, "rb") as made:
                stream.write(told(None) if status else made.read())
    os.unlink(alone)


def failures(batch: Batch) -> List[str]:
    """Return which files of a compiled batch have no byte code."""
    target, jobs = batch
    failed = []
    with open(target, "rb") as stream:
        for path, _, _ in jobs:
            (length,) = LENGTH.unpack(stream.read(LENGTH.size))
            if length < 0:
                failed.append(path)
            else:
                stream.seek(length, os.SEEK_CUR)
    return failed


def main(folder: str) -> None:
    """Compile, and say how it went."""
    warnings.simplefilter("ignore")  # what a package's code looks like is not ours to say
    pending = batches(folder)
    os.mkdir(os.path.join(folder, "out"))
    sources = os.open(os.path.join(folder, "sources"), os.O_RDONLY)
    compile_all(sources, pending, os.cpu_count() or 1)
    failed = sorted(path for batch in pending for path in failures(batch))
    total = sum(len(jobs) for _, jobs in pending)
    json.dump({"compiled": total - len(failed), "failed": failed}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
