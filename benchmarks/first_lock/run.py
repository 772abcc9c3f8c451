"""Time the whole of `freeze lock` as it is typed, beside bare uv over the same requirements.

    python -m benchmarks.first_lock.run [--runs 7] [--before FREEZE]

A project without a lock, on a base made of Debian packages, so that base, Debian and Python
packages are all resolved: what `benchmarks.lock`, which starts from a locked base, leaves out. The
store and uv's cache are warm; each round runs every command once, so that other load meets all.
`--before` names the `freeze` of another installation, such as one of an earlier commit, that takes
part in the same rounds. Needs the index that pip is configured with, a Debian archive and a
container engine. Writes `RESULTS.md` next to this file.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import uv
import yaml

from benchmarks.kept import idle
from freezer.fetch.config import Config
from freezer.fetch.python.settings import indexes
from freezer.inside.freezer_inside.fingerprint import cpu_info

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
REQUIREMENTS = ("numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "jupyterlab")
PEER = "uv pip compile"
TIMEOUT = 600.0


@dataclass
class Row:
    """One command: what is done before each run, and the seconds that its runs took."""

    folder: Path
    command: list[str]
    prepare: Callable[[Path], object] = Path.is_dir
    environment: dict[str, str] = field(default_factory=dict)
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def run(self, *, count: bool = True) -> None:
        """Run once. Raises ``RuntimeError`` with what it printed when it fails."""
        self.prepare(self.folder)
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
        done = subprocess.run(
            self.command,
            cwd=self.folder,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        seconds, after = perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(self.command)}: {done.stderr[-2000:]}")
        if count:
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.cpu.append(spent)
            self.wall.append(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each, of which the median counts")
    parser.add_argument("--before", type=Path, help="the freeze of another installation")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as scratch:
        rows = _rows(Path(scratch), options.before)
        for row in rows.values():
            row.run(count=False)
        quiet = idle()
        for _ in range(options.runs):
            for row in rows.values():
                row.run()
        packages = _counted(Path(scratch) / "first")
    text = report(rows, packages, quiet)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def _rows(scratch: Path, before: Path | None) -> dict[str, Row]:
    index = indexes(Config()).index_url or ""
    peer = scratch / "uv"
    peer.mkdir()
    (peer / "requirements.in").write_text("\n".join(REQUIREMENTS) + "\n")
    command = [uv.find_uv_bin(), "pip", "compile", "requirements.in", "--generate-hashes"]
    command += ["--no-config", "--python-version", "3.11.2", "--only-binary", ":all:"]
    command += ["--python-platform", "x86_64-manylinux_2_36", "-o", "out.txt"]
    rows = {
        PEER: Row(
            peer,
            command,
            lambda folder: (folder / "out.txt").unlink(missing_ok=True),
            {"UV_DEFAULT_INDEX": index},
        )
    }
    freezes = {"": Path(sys.executable).with_name("freeze")} | (
        {"before: ": before} if before else {}
    )
    for title, freeze in freezes.items():
        place = title[:6]
        first = _project(scratch / f"{place}first")
        rows[f"{title}first lock"] = Row(first, [str(freeze), "lock"], _without_lock)
        again = _project(scratch / f"{place}again")
        rows[f"{title}spec touched, same packages"] = Row(again, [str(freeze), "lock"], _touched)
        rows[f"{title}lock --check"] = Row(again, [str(freeze), "lock", "--check"])
    return rows


def _project(folder: Path) -> Path:
    folder.mkdir()
    document = {
        "name": "bench",
        "base": {"bootstrap": "bookworm"},
        "python": "3.11",
        "pip": list(REQUIREMENTS),
    }
    (folder / "freeze.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return folder


def _without_lock(folder: Path) -> None:
    shutil.rmtree(folder / "lockfiles", ignore_errors=True)


def _touched(folder: Path) -> None:
    with (folder / "freeze.yaml").open("a") as file:
        file.write("# touched\n")


def _counted(folder: Path) -> tuple[int, int]:
    """Return the numbers of Python and of Debian packages in a project's lock, base included."""
    lock = yaml.safe_load((folder / "lockfiles" / "bench" / "freeze.lock.yaml").read_text())
    return len(lock["pip"]), len(lock["debian"]) + len(lock["base"]["packages"])


def report(rows: dict[str, Row], packages: tuple[int, int], quiet: float) -> str:
    """Return the page; ``quiet`` is the share of the CPUs that was idle right before."""
    peer = rows[PEER]
    model = cpu_info(Path("/proc/cpuinfo").read_text()).get("model name", "an unknown processor")
    busy = "" if quiet > 0.9 else ": the machine was busy, so CPU time says more"
    text = f"""\
# First lock: results

Measured on {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores of {model},
with Python {platform.python_version()}, uv {version("uv")}.
Medians of {len(peer.wall)} runs in turns, in seconds, with warm caches. The environment has
{packages[0]} Python and {packages[1]} Debian packages.
Written by `run.py`, which says what is measured. Right before, the CPUs were idle for {quiet:.0%}
of the time{busy}.

| command | wall clock | times uv's | CPU | before: wall clock | before: CPU | times faster |
| --- | --- | --- | --- | --- | --- | --- |
"""
    for name, row in rows.items():
        if name.startswith("before: "):
            continue
        old = rows.get(f"before: {name}")
        cells = [
            name,
            f"{median(row.wall):.2f}",
            f"{median(row.wall) / median(peer.wall):.2f}",
            f"{median(row.cpu):.2f}",
            f"{median(old.wall):.2f}" if old else "",
            f"{median(old.cpu):.2f}" if old else "",
            f"{median(old.wall) / median(row.wall):.1f}" if old else "",
        ]
        text += f"| {' | '.join(cells)} |\n"
    return text


if __name__ == "__main__":
    main()
