"""Compare Freezer's conda solve with rattler's own, on real records and on a very large index.

    python -m benchmarks.conda.run [--channel FOLDER] [--runs 7] [--megabytes 200]

``FOLDER`` (or ``$FREEZER_CONDA_SLICE``) is a channel with real records of conda-forge
(``linux-64/repodata.json`` and ``noarch/repodata.json``); without one, the records that the tests
keep. Writes ``RESULTS.md`` beside this file; neither network nor engine is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import zstandard

from benchmarks.conda.command import project, wall_clock

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / "tests" / "data" / "conda-forge"
QUESTIONS = {
    "scikit-learn, OpenBLAS": ["python 3.12.*", "numpy", "scikit-learn", "libblas=*=*openblas"],
    "scikit-learn, MKL": ["python 3.12.*", "numpy", "scikit-learn", "libblas=*=*mkl"],
    "pytorch for CUDA 12.9": ["python 3.12.*", "pytorch=*=cuda*", "cuda-version 12.9.*", "cudnn"],
}
LARGE_QUESTION = "pytorch for CUDA 12.9"

HEAD = """\
# Solving conda environments

{date}, {machine}, {versions}; {known} records known; median of {runs} runs, seconds.
Written by `python -m benchmarks.conda.run`.

The request: indexes looked for, the solver's process, its answer made into locked packages.
`freeze lock`: the whole command over a lock whose base is known and whose conda half is not, so
spec and lock read, that request, the lock, its exports for conda-lock and its history written.
Both with the start of their processes (Python, and what is imported) left aside; rattler's own
time has none, since it is measured in a process that has it imported. Typed: the command as it is
typed, starts included. Ratios are against rattler alone.

conda-lock's: what its own parts take to make the `conda-lock.yml` that lies beside such a lock,
called by hand: its content hash, its models, and YAML by libyaml.

| question | records | rattler alone | request | ratio | `freeze lock` | ratio | conda-lock's | typed |
|---|---|---|---|---|---|---|---|---|"""  # noqa: E501 - a line of a table
LARGE = """
An index padded to {megabytes} MB. Memory is that of the largest process, the mapped index included.

| | seconds | against rattler | largest memory, MB |
|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--channel", default=os.environ.get("FREEZER_CONDA_SLICE"), help="real records"
    )
    parser.add_argument("--runs", type=int, default=7, help="of which the median counts")
    parser.add_argument("--megabytes", type=int, default=200, help="size of the large index")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="freezer-bench-") as scratch:
        folder = Path(scratch)
        channel = Path(options.channel) if options.channel else unpacked(folder / "kept")
        rows = [
            row(title, channel, folder / f"row-{number}", options.runs)
            for number, title in enumerate(QUESTIONS)
        ]
        large = folder / "large"
        make = [sys.executable, "-m", "benchmarks.conda.padding", str(channel), str(large)]
        # In a process of its own: a child's largest memory counts that of its parent.
        subprocess.run([*make, str(options.megabytes << 20)], check=True)
        first = once("freezer", str(large), str(folder / "first"), *QUESTIONS[LARGE_QUESTION])
        big = row(LARGE_QUESTION, large, folder / "row-large", 3)
        text = report(rows, first, big, options, records_of(channel))
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def unpacked(folder: Path) -> Path:
    """Return the records that the tests keep, as a channel of plain files."""
    for packed in sorted(KEPT.glob("*/repodata.json.zst")):
        target = folder / packed.parent.name / "repodata.json"
        target.parent.mkdir(parents=True)
        target.write_bytes(zstandard.ZstdDecompressor().decompress(packed.read_bytes()))
    return folder


def records_of(channel: Path) -> int:
    indexes = (json.loads(path.read_bytes()) for path in channel.glob("*/repodata.json"))
    return sum(len(index[key]) for index in indexes for key in ("packages", "packages.conda"))


def row(title: str, channel: Path, folder: Path, runs: int) -> dict[str, Any]:
    """Run all in turns, as the machine's load varies; return medians."""
    specs, store = QUESTIONS[title], folder / "store"
    cuda = "12.9" if "CUDA" in title else None
    once("freezer", str(channel), str(store), *specs)
    found: dict[str, list[dict[str, Any]]] = {"freezer": [], "rattler": [], "command": []}
    walls = []
    for number in range(runs):
        for who in ("freezer", "rattler"):
            found[who].append(once(who, str(channel), str(store), *specs))
        made = project(folder / str(number), channel, specs, cuda)
        found["command"].append(once("command", str(made), str(store)))
        shutil.rmtree(folder / "store-1")
        shutil.rmtree(folder / "store-2")
        walls.append(wall_clock(made, store))
        for memo in (store / "memos").glob("conda-export-*"):
            shutil.rmtree(memo)
    medians = {
        f"{who} {key}": statistics.median(result.get(key, 0) for result in results)
        for who, results in found.items()
        for key in ("seconds", "start", "megabytes", "parts")
    }
    records = found["freezer"][0]["records"]
    assert records == found["command"][0]["records"], "the same question has the same answer"
    return {"title": title, "records": records, "wall": statistics.median(walls), **medians}


def once(*arguments: str) -> dict[str, Any]:
    """Run something in a process of its own; return what it measured of itself."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.conda.once", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def report(
    rows: list[dict[str, Any]],
    first: dict[str, Any],
    big: dict[str, Any],
    options: argparse.Namespace,
    known: int,
) -> str:
    head = HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=f"{platform.machine()}, {os.cpu_count()} processors",
        versions=f"Python {platform.python_version()}, py-rattler {version('py-rattler')}",
        runs=options.runs,
        known=f"{known:,}",
    )
    alone = big["rattler seconds"]
    sizes = [
        ("rattler alone", alone, big["rattler megabytes"]),
        ("the request, index not yet in the store", first["seconds"], first["megabytes"]),
        ("the request, index in the store", big["freezer seconds"], big["freezer megabytes"]),
        ("`freeze lock`, starts aside", rest(big, "command"), big["command megabytes"]),
        ("`freeze lock`, as it is typed", big["wall"], big["command megabytes"]),
    ]
    large = LARGE.format(megabytes=options.megabytes)
    tail = (f"| {who} | {s:.2f} | {s / alone:.2f} | {mega:.0f} |" for who, s, mega in sizes)
    return "\n".join([head, *(line(item) for item in rows), large, *tail, ""])


def rest(item: dict[str, Any], who: str) -> float:
    """Return the seconds without the start of the solver's process."""
    found: float = item[f"{who} seconds"] - item[f"{who} start"]
    return found


def line(item: dict[str, Any]) -> str:
    alone, request, whole = item["rattler seconds"], rest(item, "freezer"), rest(item, "command")
    return (
        f"| {item['title']} | {item['records']} | {alone:.3f} | {request:.3f} | "
        f"{request / alone:.2f} | {whole:.3f} | {whole / alone:.2f} | "
        f"{item['command parts']:.3f} | {item['wall']:.2f} |"
    )


if __name__ == "__main__":
    main()
