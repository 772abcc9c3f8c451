"""Resolution with pip-tools, the resolver of ``pip install``; opt-in.

pip-tools resolves for the Python that runs it, so it works only when this host's Python equals the
target's. It is given one index on the loopback interface with the files that uv would consider
(`freezer.resolve.python.index.dated`), so that both solve the same problem; the files are then
selected by Freezer, for the target. Results may still differ from uv's: where several versions
satisfy, each tries them in its own order. Both are valid, and each is kept as long as it is.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from freezer.errors import ResolveError
from freezer.fetch.python.filenames import version_of
from freezer.resolve.python.index.dated import DatedIndex, candidate
from freezer.resolve.python.index.session import IndexSession, Scope, Served, first_scope
from freezer.resolve.python.index.undated import undated_warnings
from freezer.resolve.python.interface import Resolution
from freezer.resolve.python.locked import ResolvedPins, locked_packages
from freezer.resolve.python.pins import Candidate, Pin, parse_edges, undated_names
from freezer.resolve.python.piptools.errors import blamed, explain_pip
from freezer.resolve.python.uv.run import requirement_lines, run_child, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage, Target
    from freezer.resolve.python.interface import PipRequest
    from freezer.resolve.python.uv.run import UvOutput

_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)
_DIRECT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+) @ ", re.MULTILINE)
_OPTIONS = (
    *("--no-config", "--resolver", "backtracking", "--strip-extras", "--allow-unsafe"),
    *("--no-header", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-options"),
    *("--annotation-style", "line", "--no-emit-trusted-host"),
)


class PipToolsResolver:
    """Resolves with ``pip-compile``. See `freezer.resolve.python.interface.PipResolver`."""

    @contextmanager
    def session(self, request: PipRequest, *, store: Store, report: Reporter) -> Iterator[_Session]:
        """Open a session. See `freezer.resolve.python.interface.PipSession`.

        Raises ``ResolveError`` when this host's Python is not the target's.
        """
        require_host(request.target)
        if request.overrides:
            raise ResolveError(
                "pip-tools has no overrides",
                where=request.overrides[0].where,
                hint="use `resolver: uv`, or remove the override",
            )
        with IndexSession(request, store) as indexes:
            yield _Session(indexes, request.index, store, report)

    def resolve(self, request: PipRequest, *, store: Store, report: Reporter) -> Resolution:
        """Return one file for each package. Raises ``ResolveError``, ``FetchError``."""
        with self.session(request, store=store, report=report) as session:
            return session.resolve(request)


@dataclass(frozen=True)
class _Session:
    indexes: IndexSession
    index: PythonIndex
    store: Store
    report: Reporter

    def versions(self, request: PipRequest) -> dict[str, str]:
        """Return the version of each package. Raises ``ResolveError``, ``FetchError``."""
        text, dated = self._compiled(request)
        return {pin.name: pin.version for pin in _pins(request, text, dated)}

    def resolve(self, request: PipRequest) -> Resolution:
        """Return one file for each package. Raises ``ResolveError``, ``FetchError``."""
        return _resolution(request, *self._compiled(request), self.store, self.report)

    def _compiled(self, request: PipRequest) -> tuple[str, DatedIndex]:
        attempt = first_scope(request, self.index)
        with self.report.task("Resolving Python packages with pip-tools"):
            while True:
                served = self.indexes.served(undated=attempt.undated)
                run, text = _compile(request, attempt, served, self.store)
                if run.code and request.keep:
                    # pip-tools drops preferred versions in some conflicts, but not in all.
                    free = replace(request, keep={})
                    run, text = _compile(free, attempt, served, self.store)
                if run.code == 0:
                    return text, served.dated
                self.report.debug(run.stderr)
                wider = attempt.with_sdists(request, blamed(run.stderr))
                undated = request.undated and bool(served.dated.skipped)
                wider = wider or (attempt.with_undated() if undated else None)
                if wider is None:
                    raise explain_pip(run.stderr, request, self.index)
                attempt = wider


def require_host(target: Target) -> None:
    """Raise ``ResolveError`` unless this host's Python equals the target's."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = f"{platform.python_implementation()} {here} on {sys.platform} {platform.machine()}"
    required = f"CPython {target.python.minor} on linux {target.architecture}"
    abi = f"cp{here.replace('.', '')}{getattr(sys, 'abiflags', '')}"
    if python != required or abi != target.python.abi:
        raise ResolveError(
            "pip-tools resolves for the Python that runs it, which differs from the image's",
            found=f"{python} ({abi})",
            expected=f"{required} ({target.python.abi})",
            hint="use `resolver: uv`, which resolves for any target, or run Freezer on such a host",
        )


def _compile(
    request: PipRequest, attempt: Scope, served: Served, store: Store
) -> tuple[UvOutput, str]:
    """Run pip-compile; return its result and its output file."""
    served.local.failure = None
    with store.scratch() as folder:
        output = folder / "out.txt"
        output.write_text("".join(f"{n}=={v}\n" for n, v in sorted(request.keep.items())))
        environment = _environment(served.address, folder, attempt)
        run = run_child(_command(request, folder), folder, environment)
        if run.code and served.local.failure is not None:
            raise served.local.failure
        return run, output.read_text()


def _command(request: PipRequest, folder: Path) -> list[str]:
    write_private(folder / "in.txt", requirement_lines(request.requirements))
    command = [sys.executable, "-m", "piptools", "compile", *_OPTIONS]
    if request.constraints:
        write_private(folder / "constraints.txt", requirement_lines(request.constraints))
        command += ["--constraint", "constraints.txt"]
    if request.prereleases:
        command.append("--pre")
    return [*command, "--output-file", "out.txt", "in.txt"]


def _environment(address: str, folder: Path, attempt: Scope) -> dict[str, str]:
    """Return the user's environment, without pip settings except for the one index."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    if certificates := os.environ.get("PIP_CERT"):
        kept["PIP_CERT"] = certificates
    return kept | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": address,
        "PIP_ONLY_BINARY": ":all:",
        "PIP_NO_BINARY": ",".join(sorted(attempt.sdists)) or ":none:",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_RETRIES": "0",  # Freezer's own client has retried already
        # Its cache is keyed by URL, and this URL is never reused.
        "PIP_NO_CACHE_DIR": "1",
        "PIP_TOOLS_CACHE_DIR": str(folder / "cache"),
        "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1"))),
        "no_proxy": ",".join(filter(None, (os.environ.get("no_proxy"), "127.0.0.1"))),
    }


def _resolution(
    request: PipRequest, text: str, dated: DatedIndex, store: Store, report: Reporter
) -> Resolution:
    pins = _pins(request, text, dated)

    def build(required: PipRequest) -> tuple[PipPackage, ...]:
        return PipToolsResolver().resolve(required, store=store, report=report).packages

    locked = locked_packages(ResolvedPins(pins, parse_edges(text)), request, store, build)
    undated = undated_names(pins, request)
    warnings = undated_warnings(dated.skipped, locked, undated, request.index)
    return Resolution(locked, tuple(warnings))


def _pins(request: PipRequest, text: str, dated: DatedIndex) -> list[Pin]:
    pins = [_pin(match["name"], match["version"], dated) for match in _PINNED.finditer(text)]
    requirement = request.by_name()
    for match in _DIRECT.finditer(text):
        name = canonicalize_name(match["name"])
        url = next(item.requirement.url for item in requirement[name] if item.requirement.url)
        pins.append(_direct(name, url or ""))
    return pins


def _pin(name: str, version: str, dated: DatedIndex) -> Pin:
    name, required = canonicalize_name(name), Version(version)
    files = [file for file in dated.files(name) if version_of(file.name) == required]
    wheels = tuple(candidate(file) for file in files if file.name.endswith(".whl"))
    sdists = [candidate(file) for file in files if not file.name.endswith(".whl")]
    return Pin(name, version, wheels, sdists[0] if sdists else None)


def _direct(name: str, url: str) -> Pin:
    """Return the pin of a URL requirement; its version is in the file name."""
    file = url.partition("#")[0].rpartition("/")[2]
    version = version_of(file)
    if version is None:
        raise ResolveError(
            f"the version of {name} is not in the name of its file",
            found=file,
            hint="use `resolver: uv`",
        )
    return Pin(name, str(version), direct=Candidate(file, url))
