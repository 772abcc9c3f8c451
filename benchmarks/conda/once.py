"""One run, measured within its own process.

``once.py freezer|rattler CHANNEL STORE SPEC...``, ``once.py command PROJECT STORE``.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

AS_OF = "2026-11-01T00:00:00Z"
VIRTUAL = {
    "__archspec": "x86_64",
    "__cuda": "12.9",
    "__glibc": "2.36",
    "__linux": "5.10",
    "__unix": "0",
}


def main() -> None:
    who, channel, store, *specs = sys.argv[1:]
    if who == "command":
        from benchmarks.conda.command import without_start

        answer = without_start(Path(channel), Path(store))
        answer["start"] = statistics.median(process_start() for _ in range(5))
    else:
        run = by_freezer if who == "freezer" else by_rattler
        answer = run(Path(channel), Path(store), specs)
    usage = (resource.getrusage(who_) for who_ in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    answer["megabytes"] = max(item.ru_maxrss for item in usage) / 1024
    print(json.dumps(answer), flush=True)
    os._exit(0)


def by_freezer(channel: Path, store: Path, specs: list[str]) -> dict[str, Any]:
    from freezer.errors import Where
    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.config import Config
    from freezer.fetch.store.store import Store
    from freezer.model.events import SilentReporter
    from freezer.resolve.conda.solver.interface import CondaRequest, CondaRequirement
    from freezer.resolve.conda.solver.rattler import solve

    request = CondaRequest(
        channels=(CondaChannel("conda-forge", (channel.resolve().as_uri(),)),),
        specs=tuple(
            CondaRequirement(text, Where("environment.yml", n)) for n, text in enumerate(specs)
        ),
        subdir="linux-64",
        virtual_packages=VIRTUAL,
        as_of=AS_OF,
    )
    seconds, records = 0.0, 0
    # By the second time all is imported that is imported late. The first has a store of its own.
    for place in (store.with_name(f"{store.name}-of-a-first-time"), store):
        started = time.perf_counter()
        found = solve(request, config=Config(), store=Store.open(place), report=SilentReporter())
        seconds = time.perf_counter() - started
        records = len(found.packages)
    start = statistics.median(process_start() for _ in range(5))
    return {"seconds": seconds, "start": start, "records": records}


def process_start() -> float:
    """Return how long the solver's process takes to do nothing."""
    started = time.perf_counter()
    command = [sys.executable, "-P", "-m", "freezer.resolve.conda.solver.worker"]
    subprocess.run(command, input=b'{"indexes": [], "find": []}', capture_output=True, check=True)
    return time.perf_counter() - started


def by_rattler(channel: Path, store: Path, specs: list[str]) -> dict[str, Any]:
    import rattler

    del store
    declared = [
        rattler.GenericVirtualPackage(
            rattler.PackageName(name),
            rattler.Version("1" if name == "__archspec" else text),
            rattler.BuildString(text if name == "__archspec" else "0"),
        )
        for name, text in VIRTUAL.items()
    ]
    started = time.perf_counter()
    indexes = [
        rattler.SparseRepoData(
            rattler.Channel("conda-forge"), subdir, channel / subdir / "repodata.json"
        )
        for subdir in ("linux-64", "noarch")
    ]
    records = asyncio.run(
        rattler.solve_with_sparse_repodata(
            [rattler.MatchSpec(text) for text in specs],
            indexes,
            virtual_packages=declared,
            exclude_newer=datetime.fromisoformat(AS_OF).astimezone(UTC),
        )
    )
    return {"seconds": time.perf_counter() - started, "start": 0.0, "records": len(records)}


if __name__ == "__main__":
    main()
