"""What hosts, Slurm and other commands wrote of a fleet, and the file that names hosts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from freezer.fleet.folder import FleetFolder
from freezer.fleet.jobs import parse_accounting, parse_nodes, parse_queue
from freezer.fleet.result import HostResult, parse_result
from freezer.flows.fleet.engines import engine_addresses
from freezer.inside.freezer_host.result import sealed
from freezer.model.canonical import json_bytes
from freezer.model.parsing import parse_json
from freezer.model.record.host_line import parse_host
from tests.support.cluster.fleets import FLEET, attempt, environment, request, result_document
from tests.support.fuzz import Target, as_file, hold


def result(data: bytes) -> None:
    """Read a file that someone edited and sealed again: the digest keeps nobody from that."""
    try:
        document = parse_json(data)
        edited = sealed(document) if isinstance(document, dict) else data
    except ValueError:
        edited = data
    found = parse_result(edited, FLEET, attempt(), "n1", environment())
    if isinstance(found, HostResult):
        found.fingerprint()
        found.record_lines()
        parse_host(found.lines)


def folder_file(name: str, read: Callable[[FleetFolder], object]) -> Callable[[bytes], object]:
    def parsed(data: bytes) -> object:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as root:
            path = Path(root) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            return read(FleetFolder(Path(root)))

    return parsed


def lists(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for parse in (parse_queue, parse_accounting, parse_nodes):
        parse(text)


def hosts(path: Path) -> object:
    return engine_addresses(path.name, path.parent, ())


JOBS = b'{"a": {"number": "1", "state": "FAILED", "node": "n1", "note": "", "ended": 1.5}}'
TARGETS = [
    Target("result file", result, [json_bytes(result_document())], "json"),
    Target(
        "request",
        folder_file("request.json", FleetFolder.request),
        [json_bytes(request().model_dump(mode="json", by_alias=True))],
        "json",
    ),
    Target(
        "attempt",
        folder_file("attempts/1.json", FleetFolder.attempts),
        [json_bytes(attempt().model_dump(mode="json", by_alias=True))],
        "json",
    ),
    Target("known jobs", folder_file("jobs.json", FleetFolder.known_jobs), [JOBS], "json"),
    Target("Slurm's lists", lists, [b"1|a|RUNNING|n1|None\n2|b|FAILED|n2|0:0\n"], "text"),
    Target(
        "hosts", as_file("hosts.yaml", hosts), [b"hosts:\n  a: ssh://a\n  b: context:b\n"], "text"
    ),
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_anything_is_read_or_refused(target: Target) -> None:
    hold(target)
