"""The tools that are compared: each as a command over one requirements file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

AS_OF = "2026-11-01T00:00:00Z"
PYTHON = "3.11.2"
PLATFORM = "x86_64-manylinux_2_36"
TIMEOUT = 1800.0
"""Seconds for one run."""

SPEC = """\
name: bench
base: {{bootstrap: bookworm}}
python: "3.11"
pip: {pip}
as-of: {as_of}
smoke: {{command: ["true"]}}
"""


class ToolError(Exception):
    """A tool that did not do its work."""


@dataclass
class Tool:
    """A command, and the folder that it runs in."""

    title: str
    folder: Path
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    seed: Path | None = None
    """A folder that is put in place of ``lockfiles`` before each run."""

    def run(self, caches: Path) -> float:
        """Run once with the caches in a folder; return the seconds that it took."""
        if self.seed is not None:
            shutil.rmtree(self.folder / "lockfiles", ignore_errors=True)
            shutil.copytree(self.seed, self.folder / "lockfiles")
        (self.folder / "out.txt").unlink(missing_ok=True)
        start = time.perf_counter()
        done = subprocess.run(
            self.command,
            cwd=self.folder,
            env=os.environ | _caches(caches) | self.environment,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise ToolError(f"{self.title}: {done.stderr.decode(errors='replace')[-2000:]}")
        return seconds


def _caches(folder: Path) -> dict[str, str]:
    return {
        "UV_CACHE_DIR": str(folder / "uv"),
        "PIP_CACHE_DIR": str(folder / "pip"),
        "PIP_TOOLS_CACHE_DIR": str(folder / "pip-tools"),
    }


def bare_uv(source: Path, folder: Path, index: str, *, given_python: bool) -> Tool:
    """``uv pip compile`` as one types it; with ``--python``, which spares it a search."""
    import uv

    folder.mkdir(parents=True)
    command = [
        *(uv.find_uv_bin(), "pip", "compile", str(source), "-o", "out.txt", "--generate-hashes"),
        *("--no-config", "--python-version", PYTHON, "--python-platform", PLATFORM),
        *("--only-binary", ":all:", "--exclude-newer", AS_OF),
    ]
    if given_python:
        command += ["--python", sys.executable]
    title = "uv pip compile --python" if given_python else "uv pip compile"
    return Tool(title, folder, command, {"UV_DEFAULT_INDEX": index})


def pip_compile(source: Path, folder: Path, index: str) -> Tool:
    """``pip-compile --generate-hashes``, for this host's Python."""
    folder.mkdir(parents=True)
    command = [
        *(sys.executable, "-m", "piptools", "compile", str(source), "-o", "out.txt", "--no-config"),
        *("--generate-hashes", "--strip-extras", "--allow-unsafe", "--no-emit-index-url"),
        *("--pip-args", "--only-binary=:all:", "--uploaded-prior-to", AS_OF, "--quiet"),
    ]
    environment = {
        "PIP_INDEX_URL": index,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
    }
    return Tool("pip-compile --generate-hashes", folder, command, environment)


def freeze_lock(source: Path, folder: Path, index: str) -> Tool:
    """``freeze lock`` on a base that is locked already: only the pip half is resolved."""
    folder.mkdir(parents=True)
    (folder / ".freezer.yaml").write_text(
        f"sources:\n  pypi: {{index-url: {index!r}, extra-index-urls: [], find-links: []}}\n"
    )
    shutil.copy(source, folder / "requirements.in")
    freeze = [str(Path(sys.executable).with_name("freeze")), "lock"]
    tool = Tool("freeze lock", folder, freeze)
    (folder / "freeze.yaml").write_text(SPEC.format(pip="[]", as_of=AS_OF))
    tool.run(folder / "caches")
    tool.seed = folder / "seed"
    shutil.copytree(folder / "lockfiles", tool.seed)
    (folder / "freeze.yaml").write_text(SPEC.format(pip="requirements.in", as_of=AS_OF))
    return tool
