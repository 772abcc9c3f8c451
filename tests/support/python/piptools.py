"""pip-compile from the fork server, which has loaded it already, instead of by a new Python.

Most of what one run takes is the import of pip. Each run is a process of its own here too, with the
command, folder and environment that Freezer gives it.
"""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from freezer.fetch.http.redact import redact
from freezer.resolve.python.uv.run import UvOutput
from tests.support.host.forking import SERVER


def run_child(command: list[str], folder: Path, environment: Mapping[str, str]) -> UvOutput:
    """Run ``python -m piptools``, as ``uv.run.run_child`` does."""
    python, option, module, *arguments = command
    assert (python, option, module) == (sys.executable, "-m", "piptools")
    with tempfile.TemporaryDirectory() as kept:
        said = [Path(kept, "stdout"), Path(kept, "stderr")]
        child = SERVER.Process(target=_run, args=(arguments, folder, dict(environment), said))
        child.start()
        child.join()
        out, err = (path.read_text(errors="replace") for path in said)
    return UvOutput(child.exitcode or 0, out, redact(err))


def _run(arguments: list[str], folder: Path, environment: dict[str, str], said: list[Path]) -> None:
    """Do in the fork what ``python -m piptools`` does there."""
    for number, path in enumerate(said, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment, COLUMNS="10000")
    sys.argv = ["piptools", *arguments]
    code: object = 0
    try:
        runpy.run_module("piptools", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)
