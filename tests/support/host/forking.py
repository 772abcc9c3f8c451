"""Processes forked from a server that has loaded what tests start most often.

Each is as much a process of its own as one started anew, and shares nothing with the test; it only
does without the tenths of a second in which Python, rattler, pip or Freezer's flows are imported.
"""

from __future__ import annotations

from multiprocessing import get_context

SERVER = get_context("forkserver")
SERVER.set_forkserver_preload(
    [
        "freezer.resolve.conda.solver.worker",
        "piptools.scripts.compile",
        "tests.support.project.killed_rollback",
    ]
)
