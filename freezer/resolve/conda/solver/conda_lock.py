"""Solves with conda-lock, and through it with conda, mamba or micromamba.

Those have no cut-off and would contact channels themselves, so they are given one small channel in
a folder: the records that the request can reach, selected by Freezer's rules (cut-off, strict
priority, constraints). They see no address and no secret, and need no network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from freezer.errors import HostError, ResolveError
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import split_url
from freezer.model.canonical import yaml_text
from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module
from freezer.resolve.conda.solver.indexes import ask_indexes, fetch_indexes
from freezer.resolve.conda.solver.interface import CondaConflictError, CondaResolution
from freezer.resolve.conda.solver.process import TIMEOUT, environment
from freezer.resolve.conda.solver.rattler import question_of
from freezer.resolve.conda.solver.result import packages_of, undated_warning
from freezer.resolve.conda.solver.virtual_packages import solver_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.fetch.conda.repodata import Repodata
    from freezer.fetch.config import Config
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.resolve.conda.solver.interface import CondaRequest

_TOOLS = ("mamba", "conda", "micromamba")
_LINES = 12


def solve_with_conda_lock(
    request: CondaRequest, *, config: Config, store: Store, report: Reporter
) -> CondaResolution:
    """Return the packages that conda-lock selects for a request.

    The kept packages are tried first; if that has no solution, everything is solved again, and
    packages of unknown age are added last. Raises ``HostError`` when conda, mamba and micromamba
    are missing, ``ResolveError`` when they find no solution.
    """
    del config  # the channels carry their addresses already
    tool = find_tool()
    indexes = fetch_indexes(request.channels, request.subdir, store=store, report=report)
    kept = {name: package.file for name, package in request.keep.items()}
    with report.task(f"Solving with conda-lock and {Path(tool).name}"):
        attempts = [_Attempt(tool, request, only) for only in ([kept] if kept else []) + [{}]]
        attempts.append(_Attempt(tool, request, {}, undated=True))
        found = next((records for item in attempts if (records := item.run(indexes, store))), None)
    if found is None:
        raise [item for item in attempts if item.ran][-1].failure()
    packages = packages_of(found, request)
    return CondaResolution(packages, tuple(undated_warning(packages)))


class _Attempt:
    """One run of conda-lock over a channel in a folder; ``only`` are names limited to one file.

    With ``undated``, the channel also has packages of unknown age.
    """

    def __init__(
        self, tool: str, request: CondaRequest, only: dict[str, str], *, undated: bool = False
    ) -> None:
        self._tool = tool
        self._request = request
        self._only = only
        self._undated = undated
        self._output: list[str] = []

    def run(self, indexes: Sequence[Repodata], store: Store) -> list[dict[str, Any]] | None:
        """Return the selected records; None when there is no solution."""
        with store.scratch() as folder:
            question = {
                **question_of(self._request),
                "subset": str(folder / "channel"),
                "subdir": self._request.subdir,
                "only": self._only,
                "undated": self._undated,
            }
            records = ask_indexes(question, indexes, store)["records"]
            if self._undated and all(record["timestamp"] for record in records):
                return None  # no other records than in the run before
            done = _run(self._tool, self._request, folder)
            if done.returncode == 0:
                return _chosen(folder, records)
        self._output = _tool_output(done)
        return None

    @property
    def ran(self) -> bool:
        """Return whether conda-lock ran and printed something."""
        return bool(self._output)

    def failure(self) -> ResolveError:
        """Return the error of a run without a solution."""
        specs = self._request.specs
        return CondaConflictError(
            "conda-lock found no solution",
            where=specs[0].where if specs else None,
            details=self._output,
            hint="remove `resolver` to have Freezer solve it, which names the lines in conflict",
        )


def find_tool() -> str:
    """Return the path of mamba, conda or micromamba. Raises ``HostError`` when all are missing."""
    for name in _TOOLS:
        if found := shutil.which(name):
            return found
    for variable in ("MAMBA_EXE", "CONDA_EXE"):
        if found := shutil.which(os.environ.get(variable, "")):
            return found
    raise HostError(
        "`resolver: conda-lock` needs conda, mamba or micromamba; none is installed",
        hint="install one of them (micromamba is a single file), or remove `resolver`: Freezer "
        "then solves itself",
    )


def _run(tool: str, request: CondaRequest, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "environment.yml").write_bytes(_source(request, folder / "channel"))
    packages = {
        name: f"{version} {build}" if build != "0" else version
        for name, version, build in (
            solver_form(*item) for item in request.virtual_packages.items()
        )
    }
    virtual = {"subdirs": {request.subdir: {"packages": packages}}}
    (folder / "virtual.yml").write_text(yaml_text(virtual))
    (folder / "names.json").write_text("{}")
    command = [
        *(sys.executable, "-P", "-m", "conda_lock", "lock", "--conda", tool),
        *("--file", "environment.yml", "--platform", request.subdir),
        *("--virtual-package-spec", "virtual.yml", "--lockfile", "conda-lock.yml"),
        *("--pypi_to_conda_lookup_file", (folder / "names.json").as_uri()),
        *("--log-level", "ERROR"),
    ]
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env={**environment(), "CONDA_CHANNEL_PRIORITY": "strict", "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ResolveError(
            f"conda-lock found no solution in {TIMEOUT:.0f} seconds",
            hint="pin some versions to narrow the search, or remove `resolver`",
        ) from error


def _source(request: CondaRequest, channel: Path) -> bytes:
    """Return the request as an environment.yml; each name has one channel already."""
    document = {
        "channels": [channel.as_uri()],
        "dependencies": [requirement.text for requirement in request.specs],
    }
    return yaml_text(document).encode()


def _chosen(folder: Path, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the full records of conda-lock's result, its hashes compared with them."""
    lockfile = conda_lock_module("lockfile").parse_conda_lock_file(folder / "conda-lock.yml")
    known = {(record["subdir"], record["fn"]): record for record in records}
    found = []
    for item in lockfile.package:
        *_, subdir, file = unquote(split_url(item.url).path).split("/")
        record = known.get((subdir, file))
        if record is None or item.hash.md5 not in (None, "", record.get("md5")):
            raise ResolveError(
                f"conda-lock selected {item.name} {item.version}, which is not in its channel",
                found=redact(item.url),
                hint="look for channels and pins in the configuration of conda (`conda config "
                "--show-sources`)",
            )
        found.append(record)
    return found


def _tool_output(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the tool's own error output, without conda-lock's framing."""
    lines = [line.rstrip() for line in redact(done.stderr).splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if line.startswith("Could not lock the environment"):
            lines = lines[number + 1 :]
            break
    end = next((n for n, line in enumerate(lines) if line.lstrip().startswith("Command:")), None)
    output = [line.strip() for line in lines[:end]]
    return output[:_LINES] or json.dumps(done.stdout[-200:]).splitlines()
