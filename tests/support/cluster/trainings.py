"""Submitted trainings for tests: a submission, its result file, and captured output."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from freezer.fleet.trainings.submission import Submission
from freezer.inside.freezer_host.capture import HEADER
from freezer.inside.freezer_host.result import sealed
from freezer.model.record.run import Digest, Run, Time, run_bytes
from tests.support.cluster.fleets import IMAGE, NONCE, host_line

RUN = "0123456789abcdef"
STARTED = 1_796_000_000_000_000


def run_of(run: str = RUN, **changes: Any) -> Run:
    values: dict[str, Any] = {
        "id": run,
        "environment": "demo",
        "state": "running",
        "started": Time(STARTED),
        "command": ("python", "train.py"),
        "fields": {"seed": 1, "lock": Digest("1" * 64), "image": Digest(IMAGE)},
        "owner": {"slurm": f"freezer-{run}"},
    }
    return Run(**{**values, **changes})


def submission(folder: Path | str = "/spool/1", run: str = RUN, **changes: Any) -> Submission:
    values: dict[str, Any] = {
        "run": run,
        "nonce": NONCE,
        "name": f"freezer-{run}",
        "job": "7",
        "folder": str(folder),
        "output": f"{folder}/output",
        "created": STARTED // 1_000_000,
        "image": IMAGE,
        "document": run_bytes(run_of(run)).decode(),
    }
    return Submission(**{**values, **changes})


def frames(*blocks: tuple[int, bytes]) -> bytes:
    """Return captured output: each block a second after the one before it."""
    return b"".join(
        HEADER.pack(stream, STARTED + number * 1_000_000, len(data)) + data
        for number, (stream, data) in enumerate(blocks, 1)
    )


def rank(number: int = 0, output: bytes = b"", **changes: Any) -> dict[str, Any]:
    values = {
        "rank": number,
        "node": f"n{number + 1}",
        "outcome": "ran",
        "runtime": "docker 28.5.2",
        "exit": 0,
        "started": STARTED + 1_000_000,
        "ended": STARTED + 9_000_000,
        "usage": '{"exit": 0, "cpu": 1.5, "peak": 4096}',
        "host": host_line(),
        "output": {"bytes": len(output), "sha256": hashlib.sha256(output).hexdigest(), "lost": 0},
        "cpus": "0",
        "facts": {"kernel": "6.1"},
    }
    return {**values, **changes}


def result_document(*ranks: dict[str, Any], run: str = RUN, **changes: Any) -> dict[str, Any]:
    values = {
        "schema": "freezer/run-result/1",
        "run": run,
        "nonce": NONCE,
        "image": IMAGE,
        "job": "7",
        "restarts": 0,
        "outcome": "ran",
        "reason": "",
        "ranks": list(ranks) or [rank()],
        "outputs": [],
        "left-out": [],
        "changed": [],
        "ended": STARTED + 9_000_000,
    }
    return {**values, **changes}


def protocol(**document: Any) -> bytes:
    return b"::freezer:: " + json.dumps(document).encode() + b"\n"


def write_job(
    folder: Path, *outputs: bytes, files: dict[str, bytes] | None = None, **changes: Any
) -> bytes:
    """Write what a job leaves in its folder: output of each rank, files, the result; return that."""
    printed = outputs or (b"",)
    output = changes.pop("output", folder / "output")
    output.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(printed):
        place = folder / "ranks" / f"0.{number}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "output").write_bytes(data)
    left = []
    for name, data in (files or {}).items():
        (output / name).write_bytes(data)
        left.append([name, len(data), hashlib.sha256(data).hexdigest()])
    ranks = changes.pop("ranks", [rank(number, data) for number, data in enumerate(printed)])
    written = sealed(result_document(*ranks, outputs=left, **changes))
    (folder / "result.json").write_bytes(written)
    return written
