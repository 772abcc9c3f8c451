"""Isolated environments of pinned packages, in which trials run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).parents[2]
PYTHON: Final = "3.11"
TIMEOUT: Final = 600.0
"""Seconds that one process of a trial may take."""
BLAS_VARIABLES: Final = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "NPROC",  # XLA: xla/pjrt/utils.cc
    "TF_NUM_INTRAOP_THREADS",
)
_OUT, _ERR = "stdout", "stderr"
_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "OMP_WAIT_POLICY", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Level:
    """How one process of a trial is run."""

    threads: int = 1
    blas: int = 1
    hash_seed: str = "0"
    setting: bool = False
    variables: tuple[tuple[str, str], ...] = ()

    def environment(self) -> dict[str, str]:
        """Return the variables of the process; nothing of the caller's but where things are."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {
            **kept,
            "OMP_WAIT_POLICY": "passive",  # waits otherwise than by spinning; no arithmetic
            "PYTHONHASHSEED": self.hash_seed,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **dict.fromkeys(THREAD_VARIABLES, str(self.threads)),
            **dict.fromkeys(BLAS_VARIABLES, str(self.blas)),
            **dict(self.variables),
        }


class Environment(Protocol):
    """A place where trials run."""

    @property
    def installed(self) -> Mapping[str, str]:
        """Every package in it, with its version."""

    def run(self, trial: Path, request: Mapping[str, Any], level: Level) -> dict[str, Any]:
        """Run operations of a trial; return what `inside` prints. Raises ``RunError``."""


class RunError(Exception):
    """An environment that cannot be made, or a process that printed no result."""


@dataclass(frozen=True)
class Virtual:
    """A virtual environment that uv made."""

    folder: Path
    installed: Mapping[str, str]

    def run(self, trial: Path, request: Mapping[str, Any], level: Level) -> dict[str, Any]:
        """Run operations of a trial in a fresh process."""
        return run_with(self.folder / "bin" / "python", trial, request, level)


def run_with(python: Path, trial: Path, request: Mapping[str, Any], level: Level) -> dict[str, Any]:
    """Run operations of a trial under a Python, in a fresh process and an empty folder."""
    command = [str(python), "-m", "benchmarks.atlas.inside", str(trial), json.dumps(request)]
    with TemporaryDirectory(prefix="atlas-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        status = _ended(command, level.environment(), folder, trial.name)
        printed, said = ((folder / name).read_text(errors="replace") for name in (_OUT, _ERR))
    try:
        found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    except (IndexError, ValueError) as error:
        tail = "\n".join(said.splitlines()[-5:])
        raise RunError(f"{trial.name} printed no result (exit {status}): {tail}") from error
    return found


def _ended(command: Sequence[str], environment: dict[str, str], folder: Path, shown: str) -> int:
    """Run a process to its end, and end what it leaves behind; return its status.

    Its output goes to files of the folder: workers of a library, such as joblib's, may live on for
    minutes, and would keep a pipe open.
    """
    with (folder / _OUT).open("wb") as out, (folder / _ERR).open("wb") as err:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=out, stderr=err, start_new_session=True
        )
    try:
        return process.wait(TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"{shown} did not end within {TIMEOUT:.0f} seconds") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def virtual(folder: Path, requirements: Sequence[str]) -> Virtual:
    """Make a virtual environment of wheels alone. Raises ``RunError`` when it cannot be."""
    python = folder / "bin" / "python"
    _uv("venv", "--quiet", "--allow-existing", "--python", PYTHON, str(folder))
    command = ["pip", "install", "--quiet", "--only-binary", ":all:", "--python", str(python)]
    _uv(*command, *_links(), *requirements)
    listed = json.loads(_uv("pip", "list", "--format", "json", "--python", str(python)))
    return Virtual(folder, {item["name"].lower(): item["version"] for item in listed})


def releases(package: str) -> list[str]:
    """Return the releases of a package, oldest first, final ones alone."""
    from packaging.version import Version

    command = [sys.executable, "-m", "pip", "index", "versions", package, "--json"]
    more = ["--only-binary", ":all:", "--python-version", PYTHON]
    done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"the releases of {package} are not known: {done.stderr.strip()[-200:]}")
    found = map(Version, json.loads(done.stdout)["versions"])
    return [str(item) for item in sorted(found) if not item.is_prerelease]


def _links() -> list[str]:
    """Return where else wheels are: what pip is configured with, which uv does not read."""
    links = os.environ.get("PIP_FIND_LINKS")
    return ["--find-links", links] if links else []


def _uv(*arguments: str) -> str:
    from uv import find_uv_bin

    done = subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(done.stderr.strip()[-400:])
    return done.stdout
