"""Runs the solver in a process of its own, and distinguishes results from crashes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from freezer.errors import HostError, ResolveError
from freezer.fetch.http.redact import redact

TIMEOUT = 1800.0
"""Maximum seconds of one run."""
_WORKER = "freezer.resolve.conda.solver.worker"


def run_worker(question: dict[str, Any]) -> dict[str, Any]:
    """Return the worker's result. Raises ``ResolveError`` when it ends without one."""
    # -P: never import a rattler.py from the user's folder.
    command = [sys.executable, "-P", "-m", _WORKER]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(question).encode(),
            capture_output=True,
            env=environment(),
            timeout=TIMEOUT,
            check=False,
        )
    except OSError as error:
        raise HostError("the conda solver could not be started", found=error.strerror) from error
    except subprocess.TimeoutExpired as error:
        raise ResolveError(
            f"the conda solver found no solution in {TIMEOUT:.0f} seconds",
            hint="pin some versions to narrow the search",
        ) from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise _crashed(done) from None
    return answer


def environment() -> dict[str, str]:
    """Return the environment of a process that uses rattler.

    rattler panics when it finds no CA certificates, so ``SSL_CERT_FILE`` defaults to those of
    ``requests``.
    """
    found = dict(os.environ)
    if not Path(found.get("SSL_CERT_FILE") or "/").is_file():
        from requests.utils import DEFAULT_CA_BUNDLE_PATH

        found["SSL_CERT_FILE"] = DEFAULT_CA_BUNDLE_PATH
    return found


def _crashed(done: subprocess.CompletedProcess[bytes]) -> ResolveError:
    output = redact(done.stderr.decode("utf-8", "replace")).strip().splitlines()
    code = done.returncode
    ended = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
    return ResolveError(
        "the conda solver ended without a result",
        found=ended,
        details=output[-5:],
        hint="if the memory of this machine is full, free some and try again"
        if code == -signal.SIGKILL
        else "try again; if it persists, report it with these lines",
    )
