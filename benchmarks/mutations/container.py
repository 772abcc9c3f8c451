"""Running a built-in training many times in one container, changed in one thing each time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.engine.interface import Engine, Mount, RunOptions
from freezer.model.record.protocol import PREFIX, parse_lines
from freezer.model.record.record import Host, Record, Training

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DRIVER = """
import json, os, subprocess, sys
training, plan = sys.argv[1], json.loads(sys.stdin.read() if sys.argv[2] == "-" else sys.argv[2])
for number, (code, environment) in enumerate(plan):
    print("@", number, flush=True)
    start = f"import os, numpy as np; from freezer_inside import {training}_training as t\\n"
    start += "from freezer_inside import record, trainer\\n"
    place = {**os.environ, **environment}
    if environment or not number:
        subprocess.run([sys.executable, "-m", "freezer_inside.fingerprint"], env=place)
    subprocess.run([sys.executable, "-W", "ignore", "-c", start + code + "\\nt.main()"], env=place,
                   stderr=subprocess.DEVNULL)
"""


@dataclass(frozen=True)
class Told:
    """What one run told."""

    host: Host
    training: Training


def run(
    engine: Engine,
    image: str,
    training: str,
    plan: Sequence[tuple[str, Mapping[str, str]]],
    python: str = "/opt/env/bin/python",
    mounts: Sequence[Mount] = (),
    **environment: str,
) -> list[Told]:
    """Return what a training recorded under each of some changes: code, and variables."""
    told = lines(engine, image, training, plan, python, mounts, **environment)
    usual, _ = parse_lines(told[0])
    assert usual is not None
    return [_told(one, training, usual) for one in told]


def lines(
    engine: Engine,
    image: str,
    training: str,
    plan: Sequence[tuple[str, Mapping[str, str]]],
    python: str = "/opt/env/bin/python",
    mounts: Sequence[Mount] = (),
    **environment: str,
) -> list[list[bytes]]:
    """Return the lines of the record protocol of each of these runs, all from one container."""
    command = [python, "-c", DRIVER, training, json.dumps(plan)]
    options = RunOptions(
        cpus=2,
        memory="4g",
        timeout=90.0 * len(plan) + 60,
        environment=environment,
        mounts=mounts,
    )
    result = engine.run(image, command, options)
    if result.exit_code != 0:
        raise SystemExit(f"{training}: exit status {result.exit_code}\n{result.stderr.decode()}")
    told: list[list[bytes]] = []
    for line in result.stdout.splitlines():
        if line.startswith(b"@ "):
            told.append([])
        elif line.startswith(PREFIX):
            told[-1].append(line)
    return told


def _told(found: list[bytes], name: str, usual: Host) -> Told:
    """Return one run; the host of one without variables of its own is as usual."""
    host, trainings = parse_lines(found)
    training = trainings[0] if trainings else Training(name=name, failure="it told nothing")
    return Told(host or usual, training)


def record(told: Told) -> Record:
    """Return a run as a record that can be compared."""
    return Record(
        lock_id="0" * 64,
        image=f"sha256:{'0' * 64}",
        inside="0" * 64,
        host=told.host,
        trainings=(told.training,),
    )
