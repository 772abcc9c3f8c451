"""Result files of hosts: read with limits, and trusted only as a whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from freezer.fetch.store.untrusted import read_untrusted
from freezer.fleet.request import Attempt, FleetEnvironment, HostName, Nonce, Text
from freezer.fleet.sealed import Problem, parse_sealed
from freezer.model.base import Digest, EnvName, Model, Sha256
from freezer.model.parsing import parse_json
from freezer.model.record.protocol import PREFIX

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 80 << 20
"""Bytes: a record of the largest size, escaped in JSON."""
Fact = Annotated[str, StringConstraints(max_length=300)]


class HostResult(Model):
    """What one host wrote about one environment."""

    schema_: Literal["freezer/host-result/1"] = Field(alias="schema")
    integrity: str
    fleet: str
    attempt: int
    nonce: Nonce
    host: HostName
    node: Text
    job: Text = ""
    restarts: int = 0
    environment: EnvName
    lock_id: Sha256
    image: Digest
    facts: dict[Annotated[str, StringConstraints(max_length=100)], Fact] = Field(
        default_factory=dict
    )
    outcome: Literal["ran", "no-runtime", "no-image", "no-space", "wrong-host"]
    reason: Text = ""
    runtime: Text = ""
    exit: int | None = None
    timed_out: bool = False
    out_of_memory: bool = False
    seconds: Annotated[float, Field(ge=0, lt=1e9, allow_inf_nan=False)] = 0.0
    lines: tuple[str, ...] = ()
    """The record's lines as the container printed them."""
    errors: Annotated[str, StringConstraints(max_length=20_000)] = ""

    def record_lines(self) -> list[bytes]:
        """Return the lines of the record protocol."""
        return [line.encode("utf-8", "replace") for line in self.lines]

    def fingerprint(self) -> str:
        """Return a digest of everything that was computed: equal ones are equal to the bit.

        Without the host's line and timings, which differ between runs that computed the same.
        """
        digest = hashlib.sha256()
        for line in self.lines:
            if not _is_beside(line):
                digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
        return digest.hexdigest()


def _is_beside(line: str) -> bool:
    """Return whether a line says nothing of what was computed: the host's, or a timing."""
    if '"timing"' not in line and '"host"' not in line:
        return False  # nearly all of them, which need not be parsed
    try:
        document = parse_json(line.removeprefix(PREFIX.decode()))
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("kind") in ("timing", "host")


def read_result(
    path: Path, fleet: str, attempt: Attempt, host: str, environment: FleetEnvironment
) -> HostResult | Problem | None:
    """Return a host's result; None where there is no file yet, ``Problem`` where it is not one."""
    try:
        data = read_untrusted(path, LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Problem(f"the result file cannot be read: {error.strerror}")
    return parse_result(data, fleet, attempt, host, environment)


def parse_result(
    data: bytes, fleet: str, attempt: Attempt, host: str, environment: FleetEnvironment
) -> HostResult | Problem:
    """Return a result only if it is whole and of this attempt, host and environment. Pure."""
    expected: dict[str, Any] = {
        "fleet": fleet,
        "attempt": attempt.number,
        "nonce": attempt.nonce,
        "host": host,
        "environment": environment.name,
        "lock_id": environment.lock_id,
        "image": environment.image,
    }
    found = parse_sealed(data, HostResult, expected, LARGEST)
    if isinstance(found, Problem):
        return found
    if found.job and found.outcome == "ran" and found.node != host:
        return Problem(f"the result file is of the node {found.node}")
    return found
