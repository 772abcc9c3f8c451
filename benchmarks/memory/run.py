"""Measure the peak memory of commands on environments of different sizes.

    python -m benchmarks.memory [--megabytes 100 1000]

An environment has one wheel with one file of that size, half of it random and half zeros, on a base
made of Debian packages. Every command that handles its bytes runs once, each in a process of its
own, with a store of its own; a registry on this host takes and gives the image. The peak is the
largest resident set of the process and of those that it started: the engine, which is a service, is
not among them. Needs an engine, an index and a Debian archive, and about eight times the size on
disk. Writes ``RESULTS.md`` next to this file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.generations.run import registry
from benchmarks.memory.wheels import make_wheel
from freezer import __version__
from freezer.inside.freezer_inside.fingerprint import cpu_info

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).parent
NAME: Final = "freezer-memory"
LIMIT: Final = 400
"""MB that a command may take, whatever the size of the environment."""
_READ_LAST: Final = {"image": "image.tar", "bundle --check": "bundle.tar"}
"""The file that nothing reads after a command."""
SPEC: Final = """\
name: {name}
base: {{bootstrap: bookworm}}
python: "3.11"
pip: {{requirements: ["--find-links {wheels}", {package}, numpy]}}
smoke: {{training: [numpy]}}
"""


def commands(scratch: Path, address: str) -> dict[str, list[str]]:
    """Return the commands in the order in which they can run."""
    place = f"{address}/{NAME}:1"
    return {
        "lock": ["lock"],
        "fetch": ["fetch"],
        "build": ["build"],
        "build, nothing changed": ["build"],
        "check": ["check"],
        "run": ["run", "--", "true"],
        "export": ["export"],
        "sbom": ["sbom", "-o", str(scratch / "sbom.json")],
        "sbom --verify": ["sbom", "--verify", str(scratch / "sbom.json")],
        "inventory": ["inventory"],
        "image": ["image", "-o", str(scratch / "image.tar")],
        "bundle": ["bundle", "-o", str(scratch / "bundle.tar")],
        "bundle --check": ["bundle", "--check", str(scratch / "bundle.tar")],
        "archive create": ["archive", "create", "--to", str(scratch / "archive")],
        "archive verify": ["archive", "verify", str(scratch / "archive")],
        "push": ["push", "--json", place],
        "pull": ["pull"],
    }


def measure(megabytes: int, scratch: Path) -> dict[str, float]:
    """Return the peak of each command in MB."""
    package = f"big{megabytes}"
    make_wheel(scratch / "wheels", package, megabytes)
    project = scratch / "project"
    project.mkdir()
    spec = SPEC.format(name=NAME, wheels=scratch / "wheels", package=package)
    (project / "freeze.yaml").write_text(spec)
    environment = {**os.environ, "FREEZER_STORE": str(scratch / "store")}
    found = {}
    with registry(scratch) as address:
        pushed = ""
        for title, words in commands(scratch, address).items():
            more = [pushed] if title == "pull" else []
            command = [sys.executable, "-m", "freezer", *words, *more]
            found[title], said = peak(command, project, environment)
            if title == "push":
                pushed = json.loads(said)["name"]
            print(f"  {megabytes} MB, {title}: {found[title]:.0f} MB", flush=True)
            if title in _READ_LAST:  # the disk need not have all of them at once
                (scratch / _READ_LAST[title]).unlink()
    return found


def peak(command: Sequence[str], folder: Path, environment: dict[str, str]) -> tuple[float, str]:
    """Return the largest resident set of a process and its children in MB, and its output."""
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}\n{said}")
    return usage.ru_maxrss / 1024, said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 1000])
    options = parser.parse_args()
    rows: dict[int, dict[str, float]] = {}
    for megabytes in options.megabytes:
        with tempfile.TemporaryDirectory(prefix="freezer-memory-") as scratch:
            rows[megabytes] = measure(megabytes, Path(scratch))
        subprocess.run(
            f"docker image rm -f $(docker image ls -q {NAME} | sort -u)",
            shell=True, check=False, capture_output=True,
        )  # fmt: skip
    text = report(rows)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def report(rows: dict[int, dict[str, float]]) -> str:
    sizes = list(rows)
    cpu = cpu_info(Path("/proc/cpuinfo").read_text()).get("model name", "an unknown CPU")
    lines = [
        "# Peak memory",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Freezer {__version__}, {os.cpu_count()} cores of {cpu}.",
        "MB of the largest process of each command, by the size of the wheel in it. The aim",
        f"is at most {LIMIT} MB for every size. Written by `run.py`, which says what is measured.",
        "",
        f"| command | {' | '.join(f'{size} MB' for size in sizes)} | more |",
        f"|{' --- |' * (len(sizes) + 2)}",
    ]
    for title in rows[sizes[0]]:
        found = [rows[size][title] for size in sizes]
        cells = " | ".join(f"{one:.0f}" for one in found)
        lines.append(f"| `{title}` | {cells} | {found[-1] - found[0]:+.0f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
