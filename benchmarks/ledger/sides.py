"""The two sides as processes of their own, which take orders in turn; MLflow's environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import uv

ROOT: Final = Path(__file__).parents[2]
MLFLOW: Final = "mlflow==3.17.2"


class Side:
    """A process that carries out orders until it is closed."""

    def __init__(self, python: str, module: str, url: str) -> None:
        self.command = [python, "-m", f"benchmarks.ledger.{module}", url]
        self._process = self._start()

    def ask(self, do: str, **arguments: Any) -> Any:
        """Give an order, and return its answer."""
        return _ask(self._process, do, arguments)

    def fresh(self, do: str, **arguments: Any) -> float:
        """Return the seconds of the same order in a process that starts for it."""
        started = perf_counter()
        process = self._start()
        _ask(process, do, arguments)
        took = perf_counter() - started
        process.communicate()
        return took

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true"}
        return subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )


def _ask(process: subprocess.Popen[str], do: str, arguments: dict[str, Any]) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
    process.stdin.flush()
    for line in process.stdout:  # a library may print there as well
        if line.startswith("\x1e"):
            return json.loads(line[1:])
    message = f"a side ended in the middle of {do!r}"
    raise SystemExit(message)


def mlflow_python(folder: Path, requirement: str) -> str:
    """Return the Python of an environment with MLflow, made where it is not there yet."""
    python = folder / "bin" / "python"
    wanted = [requirement, "psycopg2-binary"]
    if not python.exists():
        print(f"installing {' '.join(wanted)} in {folder}", flush=True)
        subprocess.run([uv.find_uv_bin(), "venv", "-q", "-p", sys.executable, folder], check=True)
    install = [uv.find_uv_bin(), "pip", "install", "-q", "-p", str(python), *wanted]
    subprocess.run(install, check=True)
    return str(python)


def mlflow_version(python: str) -> str:
    """Return the version of MLflow that is installed for a Python."""
    code = "from importlib.metadata import version; print(version('mlflow'))"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def family(roots: set[int]) -> set[int]:
    """Return processes, and all that they started: ``proc(5)``."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            text = path.read_text()
            parents[int(path.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = set(roots)
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return found
