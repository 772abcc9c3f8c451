"""Runs what a task names for this host, and writes a result file for each.

The exit status says whether the result files were written, never what the trainings came to.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any, Dict, List

from .facts import host_facts
from .job import run_job
from .process import end_on_signals
from .result import is_written, write
from .runtimes import NoRuntimeError, Runtime, find_runtime
from .training import Run, not_run, run

_LARGEST_TASK = 16 << 20
_WRITTEN, _USAGE, _NOT_WRITTEN = 0, 64, 74
"""Exit statuses; the last two as in ``sysexits.h``."""


def main(arguments: List[str]) -> int:
    """Run a task file's environments on this host."""
    if len(arguments) != 2:
        sys.stderr.write("usage: host.pyz TASK HOST, or host.pyz run|survey|rank TASK\n")
        return _USAGE
    if arguments[0] in ("run", "survey", "rank"):
        return run_job(arguments)
    path, host = arguments
    end_on_signals()
    with open(path, "rb") as stream:
        task: Dict[str, Any] = json.loads(stream.read(_LARGEST_TASK))
    facts = host_facts()
    written = [_one(task, name, host, facts) for name in task["hosts"][host]]
    return _WRITTEN if all(written) else _NOT_WRITTEN


def _one(task: Dict[str, Any], name: str, host: str, facts: Dict[str, Any]) -> bool:
    """Run one environment; return whether its result file is there."""
    target = os.path.join(task["results"], host, name + ".json")
    if is_written(target, task["nonce"]):  # a requeued job: nothing runs twice
        return True
    environment = task["environments"][name]
    done = _run(task, environment, host)
    document = {
        "schema": "freezer/host-result/1",
        "fleet": task["fleet"],
        "attempt": task["attempt"],
        "nonce": task["nonce"],
        "host": host,
        "node": _node(),
        "job": os.environ.get("SLURM_JOB_ID", ""),
        "restarts": int(os.environ.get("SLURM_RESTART_COUNT") or 0),
        "environment": name,
        "lock-id": environment["lock-id"],
        "image": environment["image"],
        "facts": facts,
    }
    document.update(done.document())
    return write(target, document)


def _run(task: Dict[str, Any], environment: Dict[str, Any], host: str) -> Run:
    node = os.environ.get("SLURMD_NODENAME", host)
    if node != host:
        return not_run("wrong-host", "the job was started on %s" % node)
    try:
        runtime: Runtime = find_runtime(task["runtimes"])
    except NoRuntimeError as error:
        return not_run("no-runtime", str(error))
    return run(runtime, environment, "freezer-%s-%s" % (task["fleet"], os.getpid()))


def _node() -> str:
    return os.environ.get("SLURMD_NODENAME") or socket.gethostname()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
