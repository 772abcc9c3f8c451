"""Time the page of `freeze runs page` in a headless Chromium.

    python -m benchmarks.page [--runs 100 1000 10000]

For each count: the time to write the page of a ledger with as many runs (CPU seconds, some forty
fields and two series of 50 steps each), its size, and in the browser the time from navigation to
the table (in brackets the CPU time of the page's main thread), the median and the longest time
from a key in the filter to the next frame, and the same for a jump to another place of the table.
Writes `RESULTS.md` next to this file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.kept import idle
from freezer import __version__
from freezer.flows.runs.page.gather import MOST
from freezer.inside.freezer_inside.fingerprint import cpu_info
from freezer.ledger.connect import open_ledger
from freezer.ledger.record import record_many
from tests.support.host.browser import Browser, browser
from tests.support.project.pages import many_runs

HERE = Path(__file__).parent
FRAME = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
TIMED = (
    "(async () => { const start = performance.now(); %s; await "
    + FRAME
    + "; return performance.now() - start; })()"
)
KEY = (
    "const input = document.getElementById('filter'); input.value = %s;"
    "input.dispatchEvent(new Event('input'))"
)
JUMP = "document.getElementById('grid').scrollTop = %s"
WORDS = "adam and metrics.loss < 0.05 and seed = 1"


@dataclass(frozen=True)
class Took:
    """Measurements of one page; times in milliseconds unless named otherwise."""

    writing: float
    """CPU seconds."""
    size: int
    """Bytes."""
    opened: float
    opened_cpu: float
    """CPU milliseconds of the page's main thread."""
    keys: list[float]
    jumps: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 1000, MOST])
    options = parser.parse_args()
    quiet = idle()
    found = {count: _measure(count) for count in options.runs}
    text = _report(found, quiet)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def _measure(count: int) -> Took:
    with tempfile.TemporaryDirectory() as scratch:
        project, page = Path(scratch) / "project", Path(scratch) / "runs.html"
        (project / ".freezer").mkdir(parents=True)
        (project / "freeze.yaml").write_text("name: demo\nbase: {bootstrap: bookworm}\n")
        ledger = open_ledger(project / ".freezer" / "ledger.db")
        record_many(ledger, ((run, series, ()) for run, series in many_runs(count)))
        ledger.close()
        writing = _write(project, page)
        with browser(Path(scratch) / "profile") as tab:
            return _in_browser(tab, page, writing)


def _write(project: Path, page: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "freezer", "-C", str(project), "runs", "page", "-o", str(page)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _in_browser(tab: Browser, page: Path, writing: float) -> Took:
    tab.open(page)
    tab.run(FRAME)
    opened = tab.run("performance.getEntriesByType('navigation')[0].loadEventEnd")
    opened_cpu = tab.cpu() * 1000
    typed = [WORDS[:end] for end in range(1, len(WORDS) + 1)]
    keys = [tab.run(TIMED % (KEY % json.dumps(words))) for words in typed]
    tab.run(TIMED % (KEY % '""'))
    jumps = [tab.run(TIMED % (JUMP % (place * 7919 % 290_000))) for place in range(30)]
    assert tab.errors == []
    return Took(writing, page.stat().st_size, opened, opened_cpu, keys, jumps)


def _report(found: dict[int, Took], quiet: float) -> str:
    facts = cpu_info(Path("/proc/cpuinfo").read_text())
    lines = [
        "# Page of runs: results",
        "",
        (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores of "
            f"{facts.get('model name', 'an unknown CPU')}, with Freezer {__version__}, Python "
            f"{sys.version.split()[0]} and a headless Chromium. Written by `run.py`, which says "
            "what is measured."
        ),
        f"Right before, the CPUs were idle for {quiet:.0%} of the time"
        + (
            "."
            if quiet > 0.9
            else ": the machine was busy, so times are longer than on a quiet one."
        ),
        "",
        "Milliseconds with the median and the longest, until the next frame is drawn:",
        "",
        "| runs | written, CPU s | size, MB | opens (CPU) | a filter key | a jump |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for count, took in found.items():
        lines.append(
            f"| {count:,} | {took.writing:.1f} | {took.size / 1e6:.1f} "
            f"| {took.opened:.0f} ({took.opened_cpu:.0f}) "
            f"| {median(took.keys):.0f}, {max(took.keys):.0f} "
            f"| {median(took.jumps):.0f}, {max(took.jumps):.0f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
