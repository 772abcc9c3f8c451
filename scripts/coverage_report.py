"""Print how much of Freezer was run: by the tests themselves, with their children, in images."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

LINES, BRANCHES = 92.0, 85.0
"""Percent that the whole suite has to run, children included."""
INSIDE = "freezer/inside/*"
"""Runs in containers, which are not measured; its unit tests run on the host."""


def share(*options: str) -> tuple[float, float]:
    """Return percent of lines and of branches, of the files and contexts that are chosen."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = ["json", "--quiet", *options, "-o", str(report)]
        subprocess.run([sys.executable, "-m", "coverage", *command], check=True)
        totals = json.loads(report.read_text())["totals"]
    return (
        100 * totals["covered_lines"] / totals["num_statements"],
        100 * totals["covered_branches"] / totals["num_branches"],
    )


def main() -> int:
    """Print the table; return 1 where the targets are missed."""
    rows = {
        "freezer, in the tests' own processes": share(f"--omit={INSIDE}", "--contexts=^tests$"),
        "freezer, with commands and workers": share(f"--omit={INSIDE}"),
        "freezer/inside, on the host": share(f"--include={INSIDE}"),
    }
    print(f"{'':38}   lines  branches")
    for name, (lines, branches) in rows.items():
        print(f"{name:38} {lines:5.1f} %   {branches:5.1f} %")
    lines, branches = rows["freezer, with commands and workers"]
    if lines < LINES or branches < BRANCHES:
        print(f"below the target of {LINES:.0f} % of lines and {BRANCHES:.0f} % of branches")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
