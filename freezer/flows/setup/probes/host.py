"""This host: resolvers, tools, GPU, CPU, clock."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.errors import HostError
from freezer.flows.setup.probes.finding import Finding, missing, ok, warning
from freezer.resolve.conda.solver.conda_lock import find_tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

_LEVELS = (
    (2, {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}),
    (3, {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}),
    (4, {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)
"""x86-64 psABI levels by the names that Linux gives the features."""


def resolver(name: str) -> Finding:
    """Say which version of a resolver there is; uv is the one that everything needs."""
    try:
        return ok(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        absent = missing if name == "uv" else warning
        return absent(
            name, "not installed", f"install it into Freezer's environment: pip install {name}"
        )


def conda() -> Finding:
    """Say what solves conda environments; conda itself is needed for one resolver only."""
    try:
        rattler = importlib.metadata.version("py-rattler")
    except importlib.metadata.PackageNotFoundError:
        return warning("conda", "py-rattler is not installed", "pip install py-rattler")
    try:
        return ok("conda", f"rattler {rattler}; `resolver: conda-lock` would use {find_tool()}")
    except HostError:
        return ok("conda", f"rattler {rattler}; no conda is here, and none is needed")


def git() -> Finding:
    """Say whether git requirements can be locked."""
    if path := shutil.which("git"):
        return ok("git", path)
    return warning(
        "git",
        "not installed: requirements from git cannot be locked, and images do not name a commit",
        "install git with your package manager",
    )


def bootstrap(keyring: Path) -> Finding:
    """Say whether bases can be made from Debian packages: signatures must be verified."""
    absent = [] if shutil.which("gpgv") else ["gpgv"]
    absent += [] if keyring.is_file() else [f"the archive's keyring ({keyring})"]
    if not absent:
        return ok("bootstrap", f"gpgv and {keyring}")
    return warning(
        "bootstrap",
        f"{' and '.join(absent)} not there: bases cannot be made from Debian packages",
        "apt-get install gpgv debian-archive-keyring, or name a keyring in the configuration "
        "(sources.debian-keyring); bases from registries need neither",
    )


def gpu(runtimes: Sequence[str]) -> Finding:
    """Say which GPUs there are, and whether the engine can pass them on."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ok("gpu", "none (no nvidia-smi); environments run on CPUs")
    try:
        said = subprocess.run(
            [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return warning("gpu", f"nvidia-smi fails: {error}", "reload or reinstall NVIDIA's driver")
    cards = ", driver ".join(said.splitlines()[0].split(", ")) if said.strip() else "none"
    count = len(said.splitlines())
    found = f"{count} x {cards}" if count else "none"
    if count and "nvidia" not in runtimes:
        return warning(
            "gpu",
            f"{found}; the engine has no nvidia runtime",
            "install NVIDIA's container toolkit, then: nvidia-ctk runtime configure "
            "--runtime=docker, and restart the engine",
        )
    return ok("gpu", found)


def cpu(cpuinfo: str, machine: str) -> Finding:
    """Say which instructions there are, from ``/proc/cpuinfo`` and ``uname -m``."""
    fields = dict(_split(line) for line in cpuinfo.splitlines() if ":" in line)
    model = fields.get("model name", "")
    if machine != "x86_64":
        return ok("cpu", " ".join(filter(None, [machine, model])))
    level = x86_level(fields.get("flags", "").split())
    found = f"x86-64-v{level}" + (f" ({model})" if model else "")
    if level < 2:
        return warning(
            "cpu", found, "current numpy and most frameworks need x86-64-v2: use a newer machine"
        )
    return ok("cpu", found)


def x86_level(flags: Iterable[str]) -> int:
    """Return the highest x86-64 level whose features, and those below, are all there."""
    known, level = set(flags), 1
    for number, needed in _LEVELS:
        if not needed <= known:
            break
        level = number
    return level


def clock(now: datetime, installed: datetime) -> Finding:
    """Say what time it is; a clock before Freezer's own installation is wrong."""
    text = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if now < installed:
        return warning(
            "clock",
            f"{text}, which is before Freezer was installed",
            "set the clock (timedatectl set-ntp true): https and `as-of` depend on it",
        )
    return ok("clock", text)


def this_cpu() -> Finding:
    """Say which instructions this host has."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        text = ""
    return cpu(text, platform.machine())


def this_clock() -> Finding:
    """Say what time it is here."""
    installed = Path(__file__).stat().st_mtime
    return clock(datetime.now(UTC), datetime.fromtimestamp(installed, UTC))


def _split(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()
