"""What of a host decides how numbers round: CPU, kernels chosen for it, threads, C library.

Run as a program it prints one line of the record protocol. It imports NumPy where that is there and
has it multiply, because only a BLAS that was used can say which kernels it took. The one that lies
beside SciPy is loaded by itself: importing SciPy takes as long as all the rest.
"""

from __future__ import annotations

import contextlib
import ctypes
import glob
import json
import os
import platform
from importlib.util import find_spec
from typing import Dict, List, Sequence

from . import nvml
from .blas import Blas, loaded_blas, loaded_libraries
from .determinism import NUMERICS, PORTABLE_KERNELS, PORTABLE_LEVEL, in_force
from .kernels import further_kernels
from .record import PREFIX

_LEVELS = (
    ("x86-64-v2", "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"),
    ("x86-64-v3", "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"),
    ("x86-64-v4", "avx512f avx512bw avx512cd avx512dq avx512vl"),
)
"""Flags of each level beyond the one before it, by the names of /proc/cpuinfo.
https://gitlab.com/x86-psABIs/x86-64-ABI, "Micro-Architecture Levels"."""


def cpu_info(text: str) -> Dict[str, str]:
    """Return the first processor of a /proc/cpuinfo."""
    found: Dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() and found:
            break
        key, _, value = line.partition(":")
        found[key.strip()] = value.strip()
    return found


def level(machine: str, flags: List[str]) -> str:
    """Return the microarchitecture level of some CPU flags, such as ``x86-64-v3``."""
    if machine != "x86_64":
        return machine
    reached, have = "x86-64-v1", set(flags)
    for name, wanted in _LEVELS:
        if not have.issuperset(wanted.split()):
            break
        reached = name
    return reached


def numerics_class(cpu_level: str, kernels: Sequence[str], numerics: str = "native") -> str:
    """Return the name under which references are kept, such as ``x86-64-v4-skylakex``.

    With portable numerics every CPU that has the kernels is of one class; one that has not, or a
    BLAS that runs others, is of a class that says so.
    """
    names = {name.lower() for name in kernels}
    if numerics == "portable":
        names -= PORTABLE_KERNELS
        cpu_level = f"portable-{min(cpu_level, PORTABLE_LEVEL)}"
    return "-".join([cpu_level, *sorted(names)])


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _use_blas() -> List[Blas]:
    try:
        import numpy as np
    except ImportError:
        return []
    square = np.ones((64, 64), dtype=np.float32)
    np.matmul(square, square)
    for path in _beside("scipy"):
        with contextlib.suppress(OSError):
            ctypes.CDLL(path)
    return loaded_blas(loaded_libraries(_read("/proc/self/maps")))


def _beside(package: str) -> List[str]:
    """Return the OpenBLAS that a package's wheel brought, without importing the package."""
    found = find_spec(package)
    folders = (found.submodule_search_locations if found else None) or ()
    return [path for one in folders for path in sorted(glob.glob(f"{one}.libs/*openblas*.so*"))]


def memory(text: str) -> int:
    """Return the bytes of memory that a /proc/meminfo tells of, the host's own; 0 for none."""
    kilobytes = (line.split() for line in text.splitlines() if line.startswith("MemTotal:"))
    return next((int(words[1]) << 10 for words in kilobytes), 0)


def fingerprint() -> Dict[str, object]:
    """Return the facts of this host, as a process of the environment sees it."""
    cpu = cpu_info(_read("/proc/cpuinfo"))
    flags = (cpu.get("flags") or cpu.get("Features") or "").split()
    blas = _use_blas()
    kernels = sorted({one.kernels for one in blas if one.kernels})
    reached, numerics = level(platform.machine(), flags), os.environ.get(NUMERICS, "native")
    chosen = numerics_class(reached, kernels, numerics)
    return {
        "class": "-".join([chosen, *further_kernels(cpu)])[:100],
        "level": reached,
        "cpu": cpu.get("model name") or cpu.get("CPU part") or "unknown",
        "flags": sorted(flags),
        "blas-kernels": kernels,
        "blas": sorted({str(one) for one in blas}),
        "memory": memory(_read("/proc/meminfo")),
        "gpus": [str(gpu) for gpu in nvml.ask() or ()],
        "cpus": len(os.sched_getaffinity(0)),
        "libc": " ".join(platform.libc_ver()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "settings": in_force(),
    }


if __name__ == "__main__":
    print(PREFIX + json.dumps({"kind": "host", "host": fingerprint()}, sort_keys=True))
