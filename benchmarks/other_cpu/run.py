"""Run the built-in trainings as another CPU would, and hold them against this host's numbers.

    python -m benchmarks.other_cpu.run [NAME...] --qemu qemu-x86_64-static [--cpus Haswell]

`qemu-user` translates every instruction, and shows libraries the CPU that it is told to be: they
choose kernels for that one. What a kernel tells of that CPU is laid over what this host's does
(`cpuid`). It must be a static build, since it runs inside the images, which `freeze build` must
have made. Each training runs with the CPU's own kernels (`native`), and with those of
`numerics: portable`. Trainings may be measured one by one: `measured.json` keeps them. Writes
`RESULTS.md` beside this file; exits 1 where numbers differ within one class.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from time import monotonic

from benchmarks.kept import merge
from benchmarks.mutations.container import Told, record
from benchmarks.other_cpu import cpuid
from freezer.check.compare.compare import compare
from freezer.inside.freezer_inside.determinism import NUMERICS, pinned
from freezer.inside.freezer_inside.fingerprint import cpu_info
from freezer.model.record.protocol import PREFIX, parse_lines
from freezer.model.record.record import Training
from freezer.model.record.verdict import Word

HERE = Path(__file__).parent
IMAGES = {
    "numpy": "sklearn-cpu", "xgboost": "boosting", "lightgbm": "boosting", "catboost": "boosting",
    "torch": "torch-cpu",
    "jax": "jax-cpu", "torch with exact roots": "torch-cpu",
}  # fmt: skip
ROOTS = "torch"
"""What takes square roots by MKL, which begins them with `rsqrtps` on some CPUs: an emulator that
computes that instruction exactly has the bits of no CPU."""
CHANGED = {
    "torch with exact roots": """
import math, torch
def exact(values):
    roots = [math.sqrt(value) for value in values.flatten().tolist()]
    return torch.tensor(roots, dtype=values.dtype).view(values.shape)
torch.Tensor.sqrt = exact
from freezer_inside import torch_training
torch_training.main()
""",
}
"""Trainings that are changed for this: Adam's roots without MKL's."""
CPUS = ("Nehalem", "Haswell", "EPYC")
TOO_OLD = ("Nehalem",)
"""CPUs without AVX2, which portable kernels need: they end there with an illegal instruction."""
EMULATOR = "qemu-x86_64-static"
"""Of Debian's package qemu-user-static."""
PYTHON, QEMU = "/opt/env/bin/python", "/qemu"
NUMERICS_OF_ALL = ("native", "portable")
NATIVE = {NUMERICS: "native"}
PORTABLE = {**pinned(), NUMERICS: "portable"}


LONGEST = 1500
"""Seconds for one training; an emulator takes 10 to 30 times as long as the CPU."""

LATE = 124
"""Exit status of timeout(1) for what did not end in time."""


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
    def place(self) -> str:
        """Return where on the page it stands."""
        return f"{self.training} {self.numerics} {self.cpu}"

    @property
    def wrong(self) -> bool:
        """Whether numbers differ where they are promised to be the same."""
        different = self.same_class and self.word != str(Word.IDENTICAL)
        return different and self.training != ROOTS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trainings", nargs="*", default=list(IMAGES))
    parser.add_argument(
        "--qemu", type=Path, default=shutil.which(EMULATOR), help=f"else {EMULATOR} of the PATH"
    )
    parser.add_argument("--cpus", nargs="*", default=CPUS, choices=CPUS)
    parser.add_argument("--numerics", nargs="*", default=NUMERICS_OF_ALL, choices=NUMERICS_OF_ALL)
    options = parser.parse_args()
    if options.qemu is None:
        print(f"not run: there is no {EMULATOR} (Debian's qemu-user-static); name one with --qemu")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        emulator = Emulator(options.qemu.resolve(), Path(scratch))
        found = {
            one.place: asdict(one)
            for training in options.trainings
            for numerics in options.numerics
            for one in _compared(training, numerics, options.cpus, emulator)
        }
        roots = [emulator.cpu(None).rsqrtps, *(emulator.cpu(cpu).rsqrtps for cpu in options.cpus)]
    machine = _machine(options.qemu)
    order = [" ".join(place) for place in product(IMAGES, NUMERICS_OF_ALL, CPUS)]
    kept = merge(HERE / "measured.json", machine, found, order)
    rows = [Compared(**one) for one in kept.values()]
    text = _report(rows, machine, roots)
    (HERE / "RESULTS.md").write_text(text)
    print(text)
    return 1 if any(one.wrong for one in rows) else 0


class Emulator:
    """The commands that run something in an image, by the CPU or by another one."""

    def __init__(self, qemu: Path, scratch: Path) -> None:
        self._qemu = qemu
        self._scratch = scratch
        self.cpu = cache(self._cpu)
        self._told = cache(self._files)

    def command(self, training: str, numerics: str, cpu: str | None) -> list[str]:
        """Return how the image's Python is started."""
        before = [] if cpu is None else [QEMU, "-cpu", cpu]
        mounts = [] if cpu is None else [*self._mount(), *self._told(cpu)]
        return [*_docker(training, numerics, mounts), *before, PYTHON]

    def _mount(self) -> list[str]:
        return [f"--volume={self._qemu}:{QEMU}:ro"]

    def _cpu(self, cpu: str | None) -> cpuid.Cpu:
        """Return what a CPU says of itself, or this host's."""
        before = [] if cpu is None else [QEMU, "-cpu", cpu]
        return cpuid.ask([*_docker("numpy", "native", self._mount()), *before, PYTHON])

    def _files(self, cpu: str) -> list[str]:
        """Return what lays what a kernel would tell of a CPU over what this host's tells."""
        folder = self._scratch / cpu
        cpuid.write(self.cpu(cpu), Path("/proc/cpuinfo").read_text(), folder)
        return [
            f"--volume={folder}/cpuinfo:/proc/cpuinfo:ro",
            f"--volume={folder}/cache:/sys/devices/system/cpu/cpu0/cache:ro",
        ]


def _compared(training: str, numerics: str, cpus: list[str], emulator: Emulator) -> list[Compared]:
    expected, _ = _run(training, emulator.command(training, numerics, None))
    rows = []
    for cpu in cpus:
        if numerics == "portable" and cpu in TOO_OLD:
            continue
        found, seconds = _run(training, emulator.command(training, numerics, cpu))
        verdict = compare(record(expected), record(found))
        [one] = verdict.trainings
        first = one.first.what if one.first else (one.reason or "").replace("\n", " ")[:400]
        same = expected.host.class_ == found.host.class_
        rows.append(
            Compared(
                training, cpu, numerics, found.host.class_, same, str(verdict.word), first, seconds
            )
        )
        print(rows[-1], flush=True)
    return rows


def _run(training: str, command: list[str]) -> tuple[Told, float]:
    """Return what a training told, and what its host is like for it."""
    started = monotonic()
    lines, _ = _lines([*command, "-m", "freezer_inside.fingerprint"])
    program = ["-m", f"freezer_inside.{training}_training"]
    if training in CHANGED:
        program = ["-c", CHANGED[training]]
    told, failure = _lines([*command, *program])
    host, trainings = parse_lines([*lines, *told])
    assert host is not None
    found = trainings[0] if trainings else Training(name=training, failure="it told nothing")
    if failure:
        found = found.model_copy(update={"failure": failure})
    return Told(host, found), monotonic() - started


def _lines(command: list[str]) -> tuple[list[bytes], str]:
    """Return what a program told, and how it failed."""
    done = subprocess.run(command, check=False, capture_output=True)
    told = [line for line in done.stdout.splitlines() if line.startswith(PREFIX)]
    if done.returncode == 0:
        return told, ""
    if done.returncode == LATE:
        return told, f"it did not end within {LONGEST} seconds"
    said = done.stderr.decode(errors="replace").strip().splitlines()
    print("\n".join(said[-12:]), file=sys.stderr)
    return told, f"exit status {done.returncode}: {said[-1] if said else 'nothing was said'}"


def _docker(training: str, numerics: str, mounts: list[str]) -> list[str]:
    variables = PORTABLE if numerics == "portable" else NATIVE
    taken = [] if numerics == "portable" else [f"--unset={name}" for name in pinned()]
    return [
        "docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp",
        *mounts, "--entrypoint", "",
        *(f"--env={name}={value}" for name, value in variables.items()),
        f"{IMAGES[training]}:latest",
        "timeout", str(LONGEST), "env", *taken,
    ]  # fmt: skip


def _machine(qemu: Path) -> str:
    facts = cpu_info(Path("/proc/cpuinfo").read_text())
    cpu = facts.get("model name", platform.processor())
    version = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True)
    return f"{os.cpu_count()} cores of {cpu}, with {version.stdout.split('(')[0].strip()}"


def _report(found: list[Compared], machine: str, roots: list[float]) -> str:
    here, *there = roots
    lines = [
        "# Another CPU: results",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {machine}.",
        (
            "Written by `run.py`, which says what is measured. Where the class is another, a check "
            "compares nothing and says so."
        ),
        "",
        (
            "PyTorch has MKL take square roots, which begins them with `rsqrtps` on some CPUs. "
            f"That instruction is off by up to {here:.1e} here, as made for approximations, and by "
            f"{max(there):.1e} in the emulator, which computes it exactly and has the bits of no "
            "CPU. So PyTorch is also run with Adam's square roots taken exactly, and nothing else "
            "changed."
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
