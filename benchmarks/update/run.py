"""Update one package of a real environment: what moves with Freezer, uv and pip-tools.

    python -m benchmarks.update.run [--runs 5] [--without-pip-compile] [--before FREEZE]

Needs the index that pip is configured with, a Debian archive and a container engine (for the base).
All start from the lock of one day and move one package as of another, in turns, with warm caches;
medians count, pip-compile runs once. ``--before`` names the ``freeze`` of another installation that
takes part. Writes ``RESULTS.md`` next to this file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import uv

from benchmarks.kept import idle
from freezer.fetch.config import Config
from freezer.fetch.python.settings import indexes
from freezer.inside.freezer_inside.fingerprint import cpu_info

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HERE = Path(__file__).parent
REQUIREMENTS = ("jupyterlab", "scikit-learn", "pandas", "matplotlib", "numba")
BEFORE, AFTER = "2025-02-01T00:00:00Z", "2026-02-01T00:00:00Z"
PACKAGES = ("numpy", "pandas", "jupyter-server", "contourpy", "tornado")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
SPEC = """name: bench
base: {bootstrap: bookworm}
python: "3.11"
smoke: {training: [numpy]}
pip:
"""


class Taken(NamedTuple):
    """Seconds of a command, of the processes that it started included."""

    wall: float
    cpu: float


def run(command: Sequence[str], folder: Path) -> tuple[Taken, str]:
    """Return what a command took, and what it wrote to stdout."""
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started, before = monotonic(), getrusage(RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    after = getrusage(RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(monotonic() - started, cpu), done.stdout


def pins(text: str) -> dict[str, str]:
    return {name: pinned for name, pinned in PIN.findall(text) if name != "pip"}


def moved(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what changed from one list of pins to another, in words."""
    names = sorted(before.keys() | after.keys())
    return [
        f"{name} {before.get(name, 'new')} → {after.get(name, 'removed')}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def start(folder: Path) -> dict[str, str]:
    """Lock with Freezer, and give the others the same pins to start from."""
    lines = "".join(f"  - {name}\n" for name in REQUIREMENTS)
    (folder / "freeze.yaml").write_text(SPEC + lines)
    (folder / "in.txt").write_text("\n".join(REQUIREMENTS) + "\n")
    run([sys.executable, "-m", "freezer", "lock", "--as-of", BEFORE], folder)
    found = pins((folder / "lockfiles/bench/requirements.txt").read_text())
    (folder / "start.txt").write_text("".join(f"{n}=={v}\n" for n, v in found.items()))
    return found


def with_freezer(
    folder: Path, package: str, freeze: Sequence[str] = (sys.executable, "-m", "freezer")
) -> tuple[Taken, list[str]]:
    taken, out = run([*freeze, "update", package, "--as-of", AFTER, "--dry-run", "--json"], folder)
    document = json.loads(out)
    moves, alone = document["moves"], document["alone"].get(package)
    by_itself = [] if alone in (None, *(one["to"] for one in moves)) else [f"(by itself: {alone})"]
    return taken, by_itself + [
        f"{one['name']} {one['from'] or 'new'} → {one['to'] or 'removed'}"
        + (f" ({one['cause']})" if one["cause"] else "")
        for one in sorted(moves, key=lambda one: str(one["name"]))
    ]


def with_other(
    command: Sequence[str], folder: Path, before: dict[str, str]
) -> tuple[Taken, list[str]]:
    output = folder / "out.txt"
    output.write_text((folder / "start.txt").read_text())
    taken, _ = run([*command, "--output-file", "out.txt", "in.txt"], folder)
    return taken, moved(before, pins(output.read_text()))


def commands(index: str, package: str, *, pip_compile: bool) -> dict[str, list[str]]:
    asked = ["--upgrade-package", package, "--index-url", index]
    found = {
        "uv pip compile": [
            *(uv.find_uv_bin(), "pip", "compile", "-q", "--no-config", "--only-binary", ":all:"),
            *("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36"),
            *("--exclude-newer", AFTER, *asked),
        ]
    }
    if pip_compile:
        found["pip-compile"] = [
            *(sys.executable, "-m", "piptools", "compile", "-q", "--no-config", "--strip-extras"),
            "--allow-unsafe",
            *("--pip-args", f"--only-binary :all: --uploaded-prior-to {AFTER}", *asked),
        ]
    return found


def table(tools: Mapping[str, Callable[[], tuple[Taken, list[str]]]], runs: int) -> Iterator[str]:
    """Yield a row for each tool; all run in turns, so that other load meets all."""
    taken: dict[str, list[Taken]] = {name: [] for name in tools}
    moves: dict[str, list[str]] = {}
    for turn in range(runs + 1):
        for name, tool in tools.items():
            if name == "pip-compile" and turn > 1:
                continue
            one, moves[name] = tool()
            if turn:  # the first fills the caches
                taken[name].append(one)
    uv_wall = median(one.wall for one in taken["uv pip compile"])
    uv_cpu = median(one.cpu for one in taken["uv pip compile"])
    yield "| tool | s | times uv's | CPU | times uv's | moved |"
    yield "|---|---|---|---|---|---|"
    for name, found in taken.items():
        wall, cpu = median(one.wall for one in found), median(one.cpu for one in found)
        said = "<br>".join(moves[name]) or "nothing"
        count = sum(not one.startswith("(") for one in moves[name])
        yield (
            f"| {name} | {wall:.2f} | {wall / uv_wall:.2f} | {cpu:.2f} | {cpu / uv_cpu:.2f} "
            f"| {count}: {said} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-pip-compile", action="store_true", help="it is slow")
    parser.add_argument("--runs", type=int, default=5, help="of each, of which the median counts")
    parser.add_argument("--before", type=Path, help="the freeze of another installation")
    options = parser.parse_args()
    index = indexes(Config()).index_url or ""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        before, quiet = start(folder), idle()
        for package in PACKAGES:
            slow = {} if options.without_pip_compile else commands(index, package, pip_compile=True)
            tools: dict[str, Callable[[], tuple[Taken, list[str]]]] = {
                name: partial(with_other, command, folder, before)
                for name, command in (slow or commands(index, package, pip_compile=False)).items()
            }
            tools["freeze update"] = partial(with_freezer, folder, package)
            if options.before:
                freeze = (str(options.before.absolute()),)
                tools["freeze update, before"] = partial(with_freezer, folder, package, freeze)
            lines += [f"## {package} {before.get(package)}", "", *table(tools, options.runs), ""]
            print("\n".join(lines[-6:]), flush=True)
    versions = f"uv {version('uv')}, pip-tools {version('pip-tools')}, pip {version('pip')}"
    told = (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {versions}. {len(before)} packages "
        f"for {', '.join(REQUIREMENTS)} as of {BEFORE}; one of them updated as of {AFTER}. "
        f"{cpu_info(Path('/proc/cpuinfo').read_text()).get('model name', '')}, Python "
        f"{platform.python_version()}. Medians of {options.runs} runs in turns, warm; before "
        f"them the CPUs were idle for {quiet:.0%} of the time. pip-compile has no cut-off for "
        "its resolver, and moves to what is newest today. `freeze update` is timed as a whole "
        "command, which also says how far the package goes by itself, and why."
    )
    head = ["# Results", "", told, ""]
    (HERE / "RESULTS.md").write_text("\n".join([*head, *lines]))


if __name__ == "__main__":
    main()
