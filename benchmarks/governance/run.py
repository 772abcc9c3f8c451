"""Time `freeze sbom` and `freeze policy check` as typed, and 5,000 OSV records against a lock.

    python -m benchmarks.governance [--runs 7]

The first call of each command reads and keeps what it needs; the later ones are the median. CPU
seconds of the process, and the wall clock. Writes `RESULTS.md` next to this file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final

from benchmarks.kept import idle
from benchmarks.start.commands import ROOT, surroundings
from freezer import __version__
from freezer.inside.freezer_inside.fingerprint import cpu_info

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE: Final = Path(__file__).parent
RECORDS, PACKAGES = 5000, 500
POLICY: Final = """
rules:
  bases: ["bootstrap:*"]
  sources: [pypi, debian, debian-security, conda-forge]
  max-age: 9y
  banned: ["pip:pickle5"]
  required: ["pip:numpy"]
  versions: ["pip:numpy>=1"]
  licenses: {allow: [MIT, BSD-3-Clause, Apache-2.0], unknown: allow}
  min-driver: "450"
  checked: 9y
  verified: true
  reasons: true
  plans: true
  nondeterminism: true
"""
"""All rules but those that take files of the user's own: signatures and vulnerabilities."""
VULNERABILITIES: Final = "rules: {vulnerabilities: {database: osv.zip, severity: low}}\n"
VECTOR: Final = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
_BUSY: Final = (
    """\
Other programs used the CPUs meanwhile: CPU seconds can be compared, wall clocks cannot. The first
row shows by how much they grew.""",
    "",
)
PEER: Final = (sys.executable, "-c", "import pydantic, yaml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        for part in ("images", "lockfiles"):
            shutil.copytree(ROOT / part, folder / part)
        environment = surroundings(Path(scratch))
        quiet = idle()
        rows = [
            (
                "python -c 'import pydantic, yaml'",
                "",
                _timed(PEER, folder, environment, options.runs),
            )
        ]
        freeze = (str(Path(sys.executable).with_name("freeze")),)
        for words, aim in (
            (("sbom", "torch-cuda", "-o", f"{scratch}/sbom.json"), "0.5 s"),
            (("sbom", "torch-cuda", "--format", "spdx", "-o", f"{scratch}/s.json"), "0.5 s"),
        ):
            rows.append(
                (
                    f"freeze {' '.join(words[:-2])}",
                    aim,
                    _timed((*freeze, *words), folder, environment, options.runs),
                )
            )
        (folder / "policy.yaml").write_text(POLICY)
        check = (*freeze, "policy", "check", "--all")
        rows.append(
            (
                "freeze policy check --all, eight environments",
                "1 s",
                _timed(check, folder, environment, options.runs),
            )
        )
        (folder / "policy.yaml").write_text(VULNERABILITIES)
        _records(folder / "osv.zip")
        environment = {**environment, "BENCHMARK_PACKAGES": str(PACKAGES)}
        inner = (sys.executable, "-m", "benchmarks.governance.osv", str(folder / "osv.zip"))
        rows.append(
            (
                f"{RECORDS} OSV records against {PACKAGES} packages",
                "2 s",
                _timed(inner, HERE.parents[1], environment, options.runs),
            )
        )
    text = _page(rows, quiet)
    (HERE / "RESULTS.md").write_text(text)
    print(text)


def _timed(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], runs: int
) -> list[tuple[float, float]]:
    """Return CPU and wall seconds of each run; the first one fills the store."""
    found = []
    for _ in range(runs + 1):
        before, began = os.times(), perf_counter()
        subprocess.run(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)  # fmt: skip
        after = os.times()
        cpu = (
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
        found.append((cpu, perf_counter() - began))
    return found


def _records(path: Path) -> None:
    """Write records about packages that exist and packages that do not, with several ranges."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(RECORDS):
            events = [{"introduced": "0"}, {"fixed": f"1.{number % 9}"}, {"introduced": "2.0"},
                      {"last_affected": f"2.{number % 7}"}]  # fmt: skip
            record = {
                "id": f"PYSEC-2026-{number}",
                "summary": "a flaw " * 10,
                "severity": [{"type": "CVSS_V3", "score": VECTOR}],
                "affected": [{"package": {"ecosystem": "PyPI", "name": f"package-{number % 2000}"},
                              "ranges": [{"type": "ECOSYSTEM", "events": events}],
                              "versions": [f"0.{minor}" for minor in range(40)]}],
            }  # fmt: skip
            archive.writestr(f"{record['id']}.json", json.dumps(record))


def _page(rows: Sequence[tuple[str, str, list[tuple[float, float]]]], quiet: float) -> str:
    cpu = cpu_info(Path("/proc/cpuinfo").read_text()).get("model name", platform.processor())
    machine = f"{os.cpu_count()} CPUs ({cpu}), Python {platform.python_version()}"
    share = f"{quiet:.0%} of the CPUs were idle right before"
    lines = [
        "# Governance: results",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}, Freezer {__version__}; {share}.",
        "",
        *(_BUSY if quiet < 0.5 else ()),
        "| | CPU, first | CPU, median | wall clock, median | aim |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, aim, found in rows:
        later = found[1:]
        lines.append(
            f"| {name} | {found[0][0]:.2f} s | {median(one[0] for one in later):.2f} s "
            f"| {median(one[1] for one in later):.2f} s | {aim} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
