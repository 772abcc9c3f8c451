"""A user's training as a job: one rank here, or all ranks by ``srun``, and one result file.

``host.pyz run TASK`` is the job's script. Ranks of several processes are ``host.pyz survey TASK``,
which reports each host's numerics class before anything is trained, and ``host.pyz rank TASK``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any, Dict, List, Mapping, Sequence

from .data_state import data_state
from .outputs import list_files
from .process import at_end, end_on_signals
from .rank import Place, run_rank, survey
from .result import is_intact, is_written, write

RESULT = "result.json"
_RANK = "rank.json"
_MARK = "FREEZER "
_LARGEST_TASK = 64 << 20
WRITTEN, NOT_WRITTEN = 0, 74


def run_job(arguments: Sequence[str]) -> int:
    """Run one step of a job: ``run``, ``survey`` or ``rank``, and the path of the task."""
    step, path = arguments
    end_on_signals()
    with open(path, "rb") as stream:
        task: Dict[str, Any] = json.loads(stream.read(_LARGEST_TASK))
    if step == "run":
        return _run(task, path)
    place = Place(
        int(os.environ["SLURM_PROCID"]),
        int(os.environ["SLURM_LOCALID"]),
        int(task["ranks"]),
        int(task["ranks-per-node"]),
    )
    if step == "survey":
        sys.stdout.write("\n" + _MARK + json.dumps(survey(task, place)) + "\n")
        return 0
    return _rank(task, place)


def _run(task: Mapping[str, Any], path: str) -> int:
    result = os.path.join(task["folder"], RESULT)
    if is_written(result, task["nonce"]):  # a requeued job: nothing runs twice
        return WRITTEN
    document: Dict[str, Any] = {
        "schema": "freezer/run-result/1",
        "run": task["run"],
        "nonce": task["nonce"],
        "image": task["image"]["image"],
        "job": os.environ.get("SLURM_JOB_ID", ""),
        "restarts": _restarts(),
    }
    document.update(_trained(task, path))
    return WRITTEN if write(result, document) else NOT_WRITTEN


def _trained(task: Mapping[str, Any], path: str) -> Dict[str, Any]:
    try:
        _fresh_output(task["output"])
    except OSError as error:
        return _not_run("no-output", "%s: %s" % (task["output"], error.strerror))
    changed = _changed(task)
    if changed:
        return _not_run(
            "data-changed", "changed since the run was submitted: %s" % ", ".join(changed)
        )
    if int(task["ranks"]) == 1:
        ranks = [run_rank(task, Place(0, 0, 1, 1), _rank_folder(task, 0))]
        found: Dict[str, Any] = {"outcome": ranks[0]["outcome"]}
        found["reason"] = ranks[0].get("reason", "")
    else:
        ranks = []
        found = _all_ranks(task, path, ranks)
    files, left_out = list_files(task["output"])
    return {
        **found,
        "ranks": ranks,
        "outputs": files,
        "left-out": left_out[:1000],
        "changed": _changed(task),
        "ended": time.time_ns() // 1000,
    }


def _not_run(outcome: str, reason: str) -> Dict[str, Any]:
    return {"outcome": outcome, "reason": reason[:2000], "ranks": [], "outputs": [],
            "left-out": [], "changed": [], "ended": time.time_ns() // 1000}  # fmt: skip


def _fresh_output(path: str) -> None:
    """Make the output folder; keep what an earlier start of this job left under another name."""
    if os.path.isdir(path) and os.listdir(path):
        number = 1
        while os.path.exists("%s.start-%d" % (path, number)):
            number += 1
        os.rename(path, "%s.start-%d" % (path, number))
    os.makedirs(path, exist_ok=True)


def _changed(task: Mapping[str, Any]) -> List[str]:
    """Return the data sets whose files are not those that were hashed."""
    return [
        name
        for name, one in sorted(task["data"].items())
        if data_state(one["sources"]) != one["state"]
    ]


def _all_ranks(task: Mapping[str, Any], path: str, ranks: List[Dict[str, Any]]) -> Dict[str, Any]:
    """Survey the hosts, then train; ``ranks`` gets what each rank reported."""
    count = int(task["ranks"])
    lines = _srun(task, path, "survey").splitlines()
    reports = [json.loads(one[len(_MARK) :]) for one in lines if one.startswith(_MARK)]
    hosts: Dict[int, Dict[str, Any]] = {int(one["rank"]): one for one in reports}
    ranks.extend(hosts.get(one, _missing(one)) for one in range(count))
    for one in ranks:
        if one["outcome"] != "ran":
            return {"outcome": one["outcome"], "reason": _by(one, one.get("reason", ""))}
    classes = {_class(one.get("host", "")) for one in ranks}
    if (len(classes) > 1 or "" in classes) and not task["mixed"]:
        said = "; ".join("rank %d on %s: %s" % (one["rank"], one["node"], _class(one["host"]) or
                         "not reported") for one in ranks)  # fmt: skip
        for one in ranks:
            one["outcome"] = "mixed-classes"
        return {"outcome": "mixed-classes", "reason": said[:2000]}
    _srun(task, path, "rank", "--kill-on-bad-exit=1")
    for number in range(count):
        found = _read_rank(task, number) or {**_missing(number), "node": ranks[number]["node"]}
        ranks[number] = {**found, "host": ranks[number]["host"]}
    bad = [one for one in ranks if one["outcome"] not in ("ran", "lost")]
    if bad:
        return {"outcome": bad[0]["outcome"], "reason": _by(bad[0], bad[0].get("reason", ""))}
    return {"outcome": "ran", "reason": ""}


def _missing(rank: int) -> Dict[str, Any]:
    return {"rank": rank, "node": "", "outcome": "lost", "reason": "it left no result"}


def _by(one: Mapping[str, Any], reason: str) -> str:
    return ("rank %s on %s: %s" % (one["rank"], one["node"], reason))[:2000]


def _class(lines: str) -> str:
    """Return the numerics class in the host's line of the record protocol."""
    for line in lines.splitlines():
        start = line.find("{")
        try:
            found = json.loads(line[start:]) if start >= 0 else {}
            return str(found["host"]["class"])
        except (ValueError, KeyError, TypeError):
            continue
    return ""


def _srun(task: Mapping[str, Any], path: str, step: str, *options: str) -> str:
    words = [
        "srun", "--ntasks=%d" % int(task["ranks"]),
        "--ntasks-per-node=%d" % int(task["ranks-per-node"]),
        # Since Slurm 22.05 a step does not inherit them from its job.
        "--cpus-per-task=%d" % int(task["cpus"]), *options,
        sys.executable, "-I", sys.argv[0], step, path,
    ]  # fmt: skip
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    at_end(process.terminate)
    out, _ = process.communicate()
    return out[: 64 << 20].decode("utf-8", "replace")


def _rank(task: Mapping[str, Any], place: Place) -> int:
    """Run one rank; end with the command's exit code, so that `srun` ends the others."""
    folder = _rank_folder(task, place.rank)
    found = run_rank(task, place, folder)
    written = write(os.path.join(folder, _RANK), found)
    if not written:
        return NOT_WRITTEN
    return int(found["exit"]) if found["outcome"] == "ran" else 1


def _rank_folder(task: Mapping[str, Any], rank: int) -> str:
    """Return the folder of a rank in this start of the job; made where it is not there."""
    path = os.path.join(task["folder"], "ranks", "%d.%d" % (_restarts(), rank))
    os.makedirs(path, exist_ok=True)
    return path


def _restarts() -> int:
    return int(os.environ.get("SLURM_RESTART_COUNT") or 0)


def _read_rank(task: Mapping[str, Any], rank: int) -> Any:
    """Return what a rank wrote in this start of the job; None where it is not whole."""
    path = os.path.join(_rank_folder(task, rank), _RANK)
    try:
        with open(path, "rb") as stream:
            data = stream.read(_LARGEST_TASK)
        found = json.loads(data) if is_intact(data) else None
    except (OSError, ValueError):
        return None
    if isinstance(found, dict):
        found.pop("integrity", None)
    return found
