"""Run the built-in trainings as another CPU would, and hold them against this host's numbers.

    python -m benchmarks.other_cpu.run --qemu qemu-x86_64-static [--cpus Nehalem Haswell] [NAME...]

`qemu-user` translates every instruction, and shows libraries the CPU that it is told to be: they
choose kernels for that one. It must be a static build, since it runs inside the images, which
`freeze build` must have made. Each training runs with the CPU's own kernels (`native`), and with
those of `numerics: portable`. Writes `RESULTS.md` beside this file; exits 1 where numbers differ
within one class.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from benchmarks.mutations.container import Told, record
from freezer.check.compare import compare
from freezer.inside.freezer_inside.determinism import NUMERICS, pinned
from freezer.inside.freezer_inside.fingerprint import cpu_info
from freezer.model.protocol import PREFIX, parse_lines
from freezer.model.record import Training
from freezer.model.verdict import Word

HERE = Path(__file__).parent
IMAGES = {
    "numpy": "sklearn-cpu", "xgboost": "boosting", "lightgbm": "boosting", "torch": "torch-cpu",
    "jax": "jax-cpu",
}  # fmt: skip
TOO_OLD = ("Nehalem", "Westmere", "SandyBridge", "IvyBridge")
"""CPUs without AVX2, which portable kernels need: they end there with an illegal instruction."""
PYTHON, QEMU = "/opt/env/bin/python", "/qemu"
NATIVE = {NUMERICS: "native"}
PORTABLE = {**pinned(), NUMERICS: "portable"}


@dataclass(frozen=True)
class Compared:
    """One training on one emulated CPU."""

    training: str
    cpu: str
    numerics: str
    class_: str
    same_class: bool
    word: str
    first: str
    seconds: float

    @property
    def wrong(self) -> bool:
        """Whether numbers differ where they are promised to be the same."""
        return self.same_class and self.word != str(Word.IDENTICAL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trainings", nargs="*", default=list(IMAGES))
    parser.add_argument("--qemu", required=True, type=Path)
    parser.add_argument("--cpus", nargs="*", default=["Nehalem", "Haswell"])
    options = parser.parse_args()
    found = [
        one
        for training in options.trainings
        for numerics in ("native", "portable")
        for one in _compared(training, numerics, options.cpus, options.qemu.resolve())
    ]
    text = _report(found, options.qemu)
    (HERE / "RESULTS.md").write_text(text)
    print(text)
    return 1 if any(one.wrong for one in found) else 0


def _compared(training: str, numerics: str, cpus: list[str], qemu: Path) -> list[Compared]:
    expected, _ = _run(training, numerics, [], qemu)
    rows = []
    for cpu in cpus:
        if numerics == "portable" and cpu in TOO_OLD:
            continue
        found, seconds = _run(training, numerics, [QEMU, "-cpu", cpu], qemu)
        verdict = compare(record(expected), record(found))
        [one] = verdict.trainings
        first = one.first.what if one.first else (one.reason or "").replace("\n", " ")[:120]
        same = expected.host.class_ == found.host.class_
        rows.append(
            Compared(
                training, cpu, numerics, found.host.class_, same, str(verdict.word), first, seconds
            )
        )
        print(rows[-1], flush=True)
    return rows


def _run(training: str, numerics: str, before: list[str], qemu: Path) -> tuple[Told, float]:
    """Return what a training told, and what its host is like for it."""
    started = monotonic()
    modules = ("fingerprint", f"{training}_training")
    lines: list[bytes] = []
    for module in modules:
        done = subprocess.run(
            [*_docker(training, numerics, qemu), *before, PYTHON, "-m", f"freezer_inside.{module}"],
            check=False,
            capture_output=True,
        )
        told = [line for line in done.stdout.splitlines() if line.startswith(PREFIX)]
        lines += told
        if done.returncode != 0 and module != "fingerprint":
            print(done.stderr.decode()[-400:], file=sys.stderr)
    host, trainings = parse_lines(lines)
    assert host is not None
    nothing = Training(name=training, failure="it told nothing")
    return Told(host, trainings[0] if trainings else nothing), monotonic() - started


def _docker(training: str, numerics: str, qemu: Path) -> list[str]:
    variables = PORTABLE if numerics == "portable" else NATIVE
    taken = [] if numerics == "portable" else [f"--unset={name}" for name in pinned()]
    return [
        "docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp",
        "--volume", f"{qemu}:{QEMU}:ro", "--entrypoint", "",
        *(f"--env={name}={value}" for name, value in variables.items()),
        f"{IMAGES[training]}:latest",
        "env",
        *taken,
    ]  # fmt: skip


def _report(found: list[Compared], qemu: Path) -> str:
    facts = cpu_info(Path("/proc/cpuinfo").read_text())
    cpu = facts.get("model name", platform.processor())
    version = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True)
    lines = [
        "# Another CPU: results",
        "",
        (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores of {cpu}, with "
            f"{version.stdout.split('(')[0].strip()}."
        ),
        (
            "Written by `run.py`, which says what is measured. Where the class is another, a check "
            "compares nothing and says so."
        ),
        "",
        "| training | emulated CPU | numerics | class there | the same class | numbers | from |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.training} | {one.cpu} | {one.numerics} | {one.class_} "
        f"| {'yes' if one.same_class else 'no'} | {one.word} | {one.first or '-'} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
