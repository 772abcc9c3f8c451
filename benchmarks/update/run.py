"""Update one package of a real environment: what moves with Freezer, uv and pip-tools.

    python -m benchmarks.update.run [--without-pip-compile]

Needs the index that pip is configured with, a Debian archive and a container engine (for the base).
All three start from the lock of one day and move one package as of another. Writes ``RESULTS.md``
beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import uv

from freezer.fetch.config import Config
from freezer.fetch.python.settings import indexes

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def run(command: Sequence[str], folder: Path) -> tuple[float, str]:
    """Return the seconds that a command took, and what it wrote to stdout."""
    started = monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return monotonic() - started, done.stdout


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


def with_freezer(folder: Path, package: str) -> tuple[float, list[str]]:
    command = [sys.executable, "-m", "freezer", "update", package, "--as-of", AFTER]
    seconds, out = run([*command, "--dry-run", "--json"], folder)
    document = json.loads(out)
    moves, alone = document["moves"], document["alone"].get(package)
    by_itself = [] if alone in (None, *(one["to"] for one in moves)) else [f"(by itself: {alone})"]
    return seconds, by_itself + [
        f"{one['name']} {one['from'] or 'new'} → {one['to'] or 'removed'}"
        + (f" ({one['cause']})" if one["cause"] else "")
        for one in sorted(moves, key=lambda one: str(one["name"]))
    ]


def with_other(
    command: Sequence[str], folder: Path, before: dict[str, str]
) -> tuple[float, list[str]]:
    output = folder / "out.txt"
    output.write_text((folder / "start.txt").read_text())
    seconds, _ = run([*command, "--output-file", "out.txt", "in.txt"], folder)
    return seconds, moved(before, pins(output.read_text()))


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-pip-compile", action="store_true", help="it is slow")
    options = parser.parse_args()
    index = indexes(Config()).index_url or ""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        before = start(folder)
        for package in PACKAGES:
            rows = {"freeze update": with_freezer(folder, package)}
            tools = commands(index, package, pip_compile=not options.without_pip_compile)
            for name, command in tools.items():
                rows[name] = with_other(command, folder, before)
            lines += [f"## {package} {before.get(package)}", "", "| tool | s | moved |"]
            lines += ["|---|---|---|"]
            for name, (seconds, found) in rows.items():
                said = "<br>".join(found) or "nothing"
                count = sum(not one.startswith("(") for one in found)
                lines.append(f"| {name} | {seconds:.1f} | {count}: {said} |")
            lines.append("")
            print("\n".join(lines[-6:]), flush=True)
    versions = f"uv {version('uv')}, pip-tools {version('pip-tools')}, pip {version('pip')}"
    told = (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {versions}. {len(before)} packages "
        f"for {', '.join(REQUIREMENTS)} as of {BEFORE}; one of them updated as of {AFTER}. "
        f"Load over the last five minutes: {os.getloadavg()[1]:.1f}. pip-compile does not hand a "
        "cut-off on to its resolver, and so moves to what is newest today. `freeze update` is "
        "timed as a whole command, which also says how far the package goes by itself, and why."
    )
    head = ["# Results", "", told, ""]
    (HERE / "RESULTS.md").write_text("\n".join([*head, *lines]))


if __name__ == "__main__":
    main()
