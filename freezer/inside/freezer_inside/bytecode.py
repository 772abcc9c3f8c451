"""Compile Python files so that the same source always gives the same byte code.

    python -I -S -B bytecode.py SOURCE OUT

SOURCE holds one folder for each package; a file ``SOURCE/n/opt/env/x.py`` becomes
``OUT/n/opt/env/__pycache__/x.cpython-311.pyc``, compiled as ``/opt/env/x.py``. Prints one JSON
document: how many files were compiled, and which could not be.

``marshal`` writes a reference where an object has more than one owner, so what a file compiles to
depends on which strings the process happens to hold from files that it compiled before. Each file
is therefore compiled in a child of its own, forked from a parent that compiles nothing.
"""

from __future__ import annotations

import json
import os
import py_compile
import sys
from importlib.util import cache_from_source
from typing import Dict, Iterator, List, Tuple

Job = Tuple[str, str, str]


def jobs(source: str, out: str) -> Iterator[Job]:
    """Yield ``(source file, target file, path in the image)`` of every Python file, sorted."""
    for package in sorted(os.listdir(source)):
        top = os.path.join(source, package)
        for folder, folders, files in os.walk(top):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(folder, name)
                shown = path[len(top) :]
                yield path, os.path.join(out, package) + cache_from_source(shown), shown


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


def start(job: Job) -> int:
    """Compile a file in a child; return the child's process ID."""
    child = os.fork()
    if child:
        return child
    status = 2
    try:
        status = 0 if compile_one(job) else 1
    finally:
        os._exit(status)


def compile_all(pending: List[Job], workers: int) -> Tuple[int, List[str]]:
    """Compile everything; return how many files worked, and the paths that did not."""
    running: Dict[int, Job] = {}
    failed: List[str] = []
    total = len(pending)
    for job in pending:
        os.makedirs(os.path.dirname(job[1]), exist_ok=True)
    pending.reverse()
    while pending or running:
        while pending and len(running) < workers:
            job = pending.pop()
            running[start(job)] = job
        child, status = os.wait()
        job = running.pop(child)
        if status:
            failed.append(job[2])
    return total - len(failed), sorted(failed)


def main(source: str, out: str) -> None:
    """Compile, and say how it went."""
    warm = os.path.join(out, "warm.pyc")
    compile_one((__file__, warm, __file__))  # loads what compiling needs, once, before forking
    os.unlink(warm)
    compiled, failed = compile_all(list(jobs(source, out)), os.cpu_count() or 1)
    json.dump({"compiled": compiled, "failed": failed}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
