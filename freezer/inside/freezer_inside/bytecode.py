"""Compile Python files so that the same source always gives the same byte code.

    python -I -S -B bytecode.py SOURCE OUT

SOURCE holds one folder for each package; a file ``SOURCE/n/opt/env/x.py`` becomes
``OUT/n/opt/env/__pycache__/x.cpython-311.pyc``, compiled as ``/opt/env/x.py``. Prints one JSON
document: how many files were compiled, and which could not be.

``marshal`` writes a reference where an object has more than one owner, so what a file compiles to
depends on which strings the process happens to hold from files that it compiled before. Files are
therefore compiled in batches, each of one package and in sorted order, by a child of its own that
is forked from a parent that compiles nothing: what comes before a file is always the same. A child
for each file would do as well, and take twice as long.
"""

from __future__ import annotations

import json
import os
import py_compile
import sys
from importlib.util import cache_from_source
from typing import Dict, Iterator, List, Tuple

Job = Tuple[str, str, str]

BATCH = 64
"""Files that one child compiles: enough to make little of the fork, few enough to share out."""


def jobs(top: str, out: str) -> Iterator[Job]:
    """Yield ``(source file, target file, path in the image)`` of a package's files, sorted."""
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            shown = path[len(top) :]
            yield path, out + cache_from_source(shown), shown


def batches(source: str, out: str) -> Iterator[List[Job]]:
    """Yield what is compiled together: of one package, so that no other has a say in it."""
    for package in sorted(os.listdir(source)):
        mine = list(jobs(os.path.join(source, package), os.path.join(out, package)))
        for first in range(0, len(mine), BATCH):
            yield mine[first : first + BATCH]


def compile_one(job: Job) -> bool:
    """Compile a file, valid whatever its time and without looking at its source again."""
    path, target, shown = job
    try:
        py_compile.compile(
            path,
            cfile=target,
            dfile=shown,
            doraise=True,
            optimize=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except (py_compile.PyCompileError, SyntaxError, ValueError, RecursionError):
        return False
    return True


def start(batch: List[Job]) -> int:
    """Compile a batch in a child; return the child's process ID."""
    child = os.fork()
    if child:
        return child
    status = 2
    try:
        worked = [compile_one(job) for job in batch]
        status = 0 if all(worked) else 1
    finally:
        os._exit(status)


def compile_all(pending: List[List[Job]], workers: int) -> List[str]:
    """Compile everything; return the paths that could not be, sorted."""
    running: Dict[int, List[Job]] = {}
    failed: List[str] = []
    for folder in {os.path.dirname(job[1]) for batch in pending for job in batch}:
        os.makedirs(folder, exist_ok=True)
    pending.reverse()
    while pending or running:
        while pending and len(running) < workers:
            batch = pending.pop()
            running[start(batch)] = batch
        child, status = os.wait()
        batch = running.pop(child)
        left = [job for job in batch if status and not os.path.exists(job[1])]
        if len(batch) == 1 or (os.WIFEXITED(status) and os.WEXITSTATUS(status) == 1):
            failed += [job[2] for job in left]
        else:  # the compiler died of one file: the others have done nothing
            pending += [[job] for job in left]
    return sorted(failed)


def main(source: str, out: str) -> None:
    """Compile, and say how it went."""
    warm = os.path.join(out, "warm.pyc")
    compile_one((__file__, warm, __file__))  # loads what compiling needs, once, before forking
    os.unlink(warm)
    pending = list(batches(source, out))
    total = sum(len(batch) for batch in pending)
    failed = compile_all(pending, os.cpu_count() or 1)
    json.dump({"compiled": total - len(failed), "failed": failed}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
