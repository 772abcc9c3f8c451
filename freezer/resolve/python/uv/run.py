"""Runs ``uv pip compile`` as a child process: arguments, configuration, environment.

URLs are passed in a configuration file that only this user can read, because arguments are visible
to everyone on the machine; the user's own uv configuration is ignored, so that the request is
complete.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.errors import HostError, ResolveError
from freezer.fetch.http.redact import redact
from freezer.resolve.python.tags import uv_platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.fetch.python.settings import Indexes
    from freezer.resolve.python.interface import PipRequest, PipRequirement

TIMEOUT = 1800.0
"""Maximum seconds of one run."""
_PASSED_ON = frozenset({"UV_CACHE_DIR", "UV_NO_CACHE", "UV_OFFLINE", "UV_INSECURE_HOST"})
_PASSED_ON_PREFIXES = ("UV_HTTP_", "UV_CONCURRENT_", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS")


@dataclass(frozen=True)
class UvOutput:
    """The result of a run of uv, without secrets."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class UvInput:
    """One request as input files of uv."""

    folder: Path
    arguments: tuple[str, ...]
    environment: Mapping[str, str]

    def run(self, form: str, output: Path, *extra: str) -> UvOutput:
        """Run uv for one output format, ``pylock.toml`` or ``requirements.txt``.

        ``output`` has the pins to keep, if any, and the result afterwards.
        """
        command = [*_command(), *self.arguments, "--format", form, "-o", str(output), *extra]
        run = run_child(command, self.folder, self.environment)
        stdout = output.read_text() if run.code == 0 and output.is_file() else ""
        return UvOutput(run.code, stdout, run.stderr)


def write_input(request: PipRequest, folder: Path, sdists: Iterable[str] = ()) -> UvInput:
    """Write a request into a folder of its own; ``sdists`` are used as source distributions.

    Raises ``ResolveError`` for a target without wheels.
    """
    write_private(folder / "in.txt", requirement_lines(request.requirements))
    write_private(folder / "constraints.txt", requirement_lines(request.constraints))
    write_private(folder / "uv.toml", uv_toml(request.indexes))
    arguments = [
        *("in.txt", "--config-file", "uv.toml"),
        *("--python-version", request.target.python.version, "--no-python-downloads"),
        # Any Python will do; naming one saves the search for it, most of uv's time.
        *("--python", sys.executable),
        *("--python-platform", uv_platform(request.target)),
        *("--no-header", "--color", "never", "--no-progress", "--no-sources"),
        *("--only-binary", ":all:"),
    ]
    if request.constraints:
        arguments += ["--constraints", "constraints.txt"]
    if request.overrides:
        write_private(folder / "overrides.txt", requirement_lines(request.overrides))
        arguments += ["--overrides", "overrides.txt"]
    for name in sorted(sdists):
        arguments += ["--no-binary", name]
    if request.prereleases:
        arguments += ["--prerelease", "allow"]
    elif request.stable:
        # By default uv selects one when every other version of a range is rejected.
        arguments += ["--prerelease", "explicit"]
    return UvInput(folder, tuple(arguments), _environment(request.indexes))


def uv_toml(indexes: Indexes) -> str:
    """Return uv's configuration of some indexes, in order of priority."""
    lines = [f"find-links = [{', '.join(quoted(url) for url in indexes.find_links)}]"]
    urls = indexes.index_urls
    if not urls:
        lines.append("no-index = true")
    for url in urls:
        lines += ["[[index]]", f"url = {quoted(url)}"]
        if url == urls[-1]:
            # Always set: uv's default is the public index.
            lines.append("default = true")
    lines += ["[pip]", f"index-strategy = {quoted(indexes.strategy)}"]
    return "\n".join([*lines, ""])


def run_child(command: list[str], folder: Path, environment: Mapping[str, str]) -> UvOutput:
    """Run a resolver to its end. Raises ``HostError`` (not started), ``ResolveError`` (timeout)."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            # The output is parsed, and must not be wrapped for a narrow terminal.
            env={**environment, "COLUMNS": "10000"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except OSError as error:
        raise HostError(
            f"{Path(command[0]).name} could not be started", found=error.strerror
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ResolveError(
            f"{Path(command[0]).name} found no solution in {TIMEOUT:.0f} seconds",
            hint="pin some versions to narrow the search",
        ) from error
    return UvOutput(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        redact(done.stderr.decode("utf-8", "replace")),
    )


def _command() -> tuple[str, ...]:
    import uv

    try:
        return (uv.find_uv_bin(), "pip", "compile")
    except FileNotFoundError as error:
        raise HostError(
            "uv is not installed next to Freezer",
            hint="reinstall Freezer (`uv` is among its dependencies), or choose "
            "`resolver: pip-tools`",
        ) from error


def requirement_lines(requirements: Iterable[PipRequirement]) -> str:
    """Return requirements as lines of a file; line numbers are their positions."""
    return "".join(f"{item.requirement}\n" for item in requirements)


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read: URLs in it may contain credentials."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)


def _environment(indexes: Indexes) -> dict[str, str]:
    """Return the user's environment without variables that would affect uv's result."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("UV_") or name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }
    if indexes.certificates:
        kept.setdefault("SSL_CERT_FILE", indexes.certificates)
    return kept


def quoted(text: str) -> str:
    """Return a TOML string; JSON's escapes are valid in TOML."""
    return json.dumps(text, ensure_ascii=False)
