"""Compare Freezer's conda solve with rattler's own, on real records and on a very large index.

    python -m benchmarks.conda.run [--channel FOLDER] [--runs 7] [--megabytes 200]

``FOLDER`` (or ``$FREEZER_CONDA_SLICE``) is a channel with real records of conda-forge
(``linux-64/repodata.json`` and ``noarch/repodata.json``). Writes ``RESULTS.md`` beside this file;
no network is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
QUESTIONS = {
    "scikit-learn, OpenBLAS": ["python 3.12.*", "numpy", "scikit-learn", "libblas=*=*openblas"],
    "scikit-learn, MKL": ["python 3.12.*", "numpy", "scikit-learn", "libblas=*=*mkl"],
    "pytorch for CUDA 12": ["pytorch=*=cuda*", "cuda-version 12.*", "cudnn"],
}

HEAD = """\
# Solving conda environments

{date}, {machine}, {versions}; median of {runs} runs, seconds.
Written by `python -m benchmarks.conda.run`.

Freezer's time is that of a whole request: indexes looked for, the solver's process, its answer
made into locked packages. The start of that process (Python, importing rattler) is given apart;
rattler's own time has none, since it is measured within a process that has it imported. Memory is
that of the largest process, the mapped index included.

| question | records | rattler alone | Freezer | of it process start | the rest, against rattler |
|---|---|---|---|---|---|"""
LARGE = """
An index padded to {megabytes} MB:

| | seconds | largest memory, MB |
|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--channel", default=os.environ.get("FREEZER_CONDA_SLICE"), help="real records"
    )
    parser.add_argument("--runs", type=int, default=7, help="of which the median counts")
    parser.add_argument("--megabytes", type=int, default=200, help="size of the large index")
    options = parser.parse_args()
    if options.channel is None:
        print("left out: name a channel of real records with --channel or FREEZER_CONDA_SLICE")
        return
    channel = Path(options.channel)
    with tempfile.TemporaryDirectory(prefix="freezer-bench-") as scratch:
        folder = Path(scratch)
        rows = [
            row(title, specs, channel, folder / "store", options.runs)
            for title, specs in QUESTIONS.items()
        ]
        large = folder / "large"
        make = [sys.executable, "-m", "benchmarks.conda.padding", str(channel), str(large)]
        # In a process of its own: a child's largest memory counts that of its parent.
        subprocess.run([*make, str(options.megabytes << 20)], check=True)
        first = once("freezer", QUESTIONS["pytorch for CUDA 12"], large, folder / "large-store")
        big = row("the same", QUESTIONS["pytorch for CUDA 12"], large, folder / "large-store", 3)
    text = report(rows, first, big, options)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def row(title: str, specs: list[str], channel: Path, store: Path, runs: int) -> dict[str, Any]:
    """Run both, in turns, as the machine's load varies; return medians."""
    once("freezer", specs, channel, store)
    found: dict[str, list[dict[str, Any]]] = {"freezer": [], "rattler": []}
    for _ in range(runs):
        for who, results in found.items():
            results.append(once(who, specs, channel, store))
    medians = {
        f"{who} {key}": statistics.median(result[key] for result in results)
        for who, results in found.items()
        for key in ("seconds", "start", "megabytes")
    }
    return {"title": title, "records": found["freezer"][0]["records"], **medians}


def once(who: str, specs: list[str], channel: Path, store: Path) -> dict[str, Any]:
    """Run one solve in a process of its own; return what it measured of itself."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.conda.once", who, str(channel), str(store), *specs],
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def report(
    rows: list[dict[str, Any]],
    first: dict[str, Any],
    big: dict[str, Any],
    options: argparse.Namespace,
) -> str:
    head = HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=f"{platform.machine()}, {os.cpu_count()} processors",
        versions=f"Python {platform.python_version()}, py-rattler {version('py-rattler')}",
        runs=options.runs,
    )
    sizes = {
        "Freezer, index not yet in the store": first,
        "Freezer, index in the store": _of("freezer", big),
        "rattler alone": _of("rattler", big),
    }
    large = LARGE.format(megabytes=options.megabytes)
    tail = (f"| {who} | {m['seconds']:.2f} | {m['megabytes']:.0f} |" for who, m in sizes.items())
    return "\n".join([head, *(line(item) for item in rows), large, *tail, ""])


def _of(who: str, item: dict[str, Any]) -> dict[str, Any]:
    return {key: item[f"{who} {key}"] for key in ("seconds", "megabytes")}


def line(item: dict[str, Any]) -> str:
    alone, whole = item["rattler seconds"], item["freezer seconds"]
    start = item["freezer start"]
    return (
        f"| {item['title']} | {item['records']} | {alone:.3f} | {whole:.3f} | {start:.3f} | "
        f"{(whole - start) / alone:.2f} |"
    )


if __name__ == "__main__":
    main()
