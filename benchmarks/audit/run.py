"""Time `freeze audit` of shipped environments, on a machine that does nothing else.

    python -m benchmarks.audit.run [--budget 115] [ENVIRONMENT...]

Needs the images of the shipped environments (`freeze build`). How many factors an audit reaches
within its budget is what counts. Environments may be measured one by one: `measured.json` keeps
them, as long as machine and versions are the same. Writes `RESULTS.md` beside this file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.check.run import ENVIRONMENTS, machine
from benchmarks.kept import idle, merge
from benchmarks.priority import FIRST, first
from freezer.engine.connect.connect import connect

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environments", nargs="*", default=["torch-cpu"])
    parser.add_argument("--budget", type=int, default=115, help="in seconds")
    parser.add_argument("--first", action="store_true", help="go before what others run")
    options = parser.parse_args()
    found = {}
    for name in options.environments:
        print(f"{name}: within {options.budget} s", flush=True)
        with first(options.first):
            found[name] = {**_audited(name, options.budget), "first": options.first}
    here = machine(connect())
    kept = merge(HERE / "measured.json", here, found, ENVIRONMENTS)
    text = _report(kept, here)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def _audited(name: str, budget: int) -> dict[str, Any]:
    """Return what an audit came to; it writes nothing, and may say that trainings do not repeat."""
    command = [sys.executable, "-m", "freezer", "--quiet", "audit", name, "--json"]
    quiet, started = idle(), monotonic()
    done = subprocess.run(
        [*command, "--budget", str(budget)], cwd=ROOT, capture_output=True, check=False
    )
    took = monotonic() - started
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr.decode())
    said = json.loads(done.stdout)
    factors = list(dict.fromkeys(one["title"] for one in said["effects"]))
    changed = dict.fromkeys(one["title"] for one in said["effects"] if one.get("changes"))
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "budget": budget,
        "idle": quiet,
        "seconds": round(took, 1),
        "reached": factors,
        "changed": list(changed),
        "skipped": said["skipped"],
        "good": said["good"],
    }


def _report(found: dict[str, Any], here: str) -> str:
    dates = " and ".join(sorted({one["date"] for one in found.values()}))
    least = min(one["idle"] for one in found.values())
    how = FIRST if any(one["first"] for one in found.values()) else ""
    lines = [
        "# Audit: results",
        "",
        f"Measured on {dates} on {here}.",
        "The whole command, once. Written by `run.py`, which says what is measured.",
        f"Right before, the CPUs were idle for at least {least:.0%} of the time{how}.",
        "",
        "| environment | budget | took | runs | factors | not reached | changed the numbers |",
        "|---|---:|---:|---:|---:|---|---|",
    ]
    lines += [_row(name, one) for name, one in found.items()]
    return "\n".join(lines) + "\n"


def _row(name: str, one: dict[str, Any]) -> str:
    reached, skipped = one["reached"], one["skipped"]
    cells = (
        name,
        f"{one['budget']} s",
        f"{one['seconds']:.0f} s",
        len(reached) + 1,
        len(reached) + len(skipped),
        ", ".join(skipped) or "none",
        ", ".join(one["changed"]) or "none",
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
