"""Fleets for tests: a request, an attempt, and result files as hosts write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from freezer.fleet.folder import FleetFolder, task_document
from freezer.fleet.request import Attempt, FleetEnvironment, Request, Submission
from freezer.fleet.result import HostResult, parse_result
from freezer.inside.freezer_host.result import sealed
from tests.support.project.records import HOST, lines

FLEET = "20261130-120000-0a1b"
NONCE = "7" * 32
IMAGE = f"sha256:{'2' * 64}"
CREATED = 1_796_000_000


def environment(name: str = "demo", lock_id: str = "1" * 64) -> FleetEnvironment:
    return FleetEnvironment(
        name=name,
        lock_id=lock_id,
        image=IMAGE,
        inside="3" * 64,
        archive="/shared/images/2.tar",
        command=("python", "-m", "freezer_inside.smoke", "{}"),
        trainings=("numpy",),
        cpus=1,
        memory="1g",
        timeout=600,
    )


def request(*hosts: str, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "id": FLEET,
        "created": CREATED,
        "target": "slurm:all",
        "partition": "all",
        "hosts": hosts or ("n1",),
        "environments": (environment(),),
        "deadline": 3600,
        "runtimes": ("docker",),
    }
    return Request(**{**values, **changes})


def attempt(*hosts: str, number: int = 1, **changes: Any) -> Attempt:
    some = {host: Submission(environments=("demo",), job="7") for host in hosts or ("n1",)}
    return Attempt(number=number, created=CREATED, nonce=NONCE, hosts=some, **changes)


def host_line(**changes: Any) -> str:
    document = {"kind": "host", "host": {**HOST, **changes}}
    return f"::freezer:: {json.dumps(document, sort_keys=True)}"


def result_document(
    host: str = "n1", told: list[bytes] | None = None, **changes: Any
) -> dict[str, Any]:
    own = changes.pop("host_facts", {})
    reported = told if told is not None else lines()
    values = {
        "schema": "freezer/host-result/1",
        "fleet": FLEET,
        "attempt": 1,
        "nonce": NONCE,
        "host": host,
        "node": host,
        "job": "7",
        "environment": "demo",
        "lock-id": "1" * 64,
        "image": IMAGE,
        "facts": {"microcode": "0x1", "kernel": "6.1"},
        "outcome": "ran",
        "runtime": "docker 28.5.2",
        "exit": 0,
        "seconds": 4.5,
        "lines": [host_line(**own), *(line.decode() for line in reported)],
    }
    return {**values, **changes}


def result(host: str = "n1", **changes: Any) -> HostResult:
    found = parse_result(
        sealed(result_document(host, **changes)), FLEET, attempt(host), host, environment()
    )
    assert isinstance(found, HostResult), found
    return found


def make_fleet(root: Path, asked: Request, tried: Attempt) -> FleetFolder:
    """Make the folder of a fleet with one attempt, and no result yet."""
    folder = FleetFolder(root / asked.id)
    folder.create(asked, b"")
    folder.write_task(tried.number, task_document(folder, asked, tried))
    folder.write_attempt(tried)
    return folder


def write_result(folder: FleetFolder, document: dict[str, Any]) -> Path:
    """Write a result file where a host would."""
    path = folder.result(document["attempt"], document["host"], document["environment"])
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(sealed(document))
    return path
