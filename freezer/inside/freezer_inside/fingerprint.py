"""What of a host decides how numbers round: CPU, kernels chosen for it, threads, C library.

Run as a program it prints one line of the record protocol. It imports NumPy where that is there,
because only a loaded BLAS can say which kernels it took.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
from typing import Dict, Iterator, List, Optional

from .determinism import in_force
from .record import PREFIX

_LEVELS = (
    ("x86-64-v2", "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"),
    ("x86-64-v3", "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"),
    ("x86-64-v4", "avx512f avx512bw avx512cd avx512dq avx512vl"),
)
"""Flags of each level beyond the one before it, by the names of /proc/cpuinfo.
https://gitlab.com/x86-psABIs/x86-64-ABI, "Micro-Architecture Levels"."""
_CORE_NAMES = (
    "scipy_openblas_get_corename64_",
    "scipy_openblas_get_corename",
    "openblas_get_corename64_",
    "openblas_get_corename",
)


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


def loaded_libraries(maps: str) -> List[str]:
    """Return the shared libraries of a /proc/self/maps."""
    paths = {line.split(None, 5)[5] for line in maps.splitlines() if line.count("/")}
    return sorted(path.strip() for path in paths if ".so" in path)


def openblas_cores(libraries: List[str]) -> Iterator[str]:
    """Yield the name of the kernels that each loaded OpenBLAS took for this CPU."""
    for path in libraries:
        if "openblas" not in os.path.basename(path):
            continue
        library = ctypes.CDLL(path)
        for name in _CORE_NAMES:
            function = getattr(library, name, None)
            if function is not None:
                function.restype = ctypes.c_char_p
                yield function().decode()
                break


def numerics_class(cpu_level: str, cores: List[str]) -> str:
    """Return the name under which references are kept, such as ``x86-64-v4-skylakex``."""
    return "-".join([cpu_level, *sorted({core.lower() for core in cores})])


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _load_numpy() -> Optional[str]:
    try:
        import numpy as np
    except ImportError:
        return None
    return str(np.__version__)


def fingerprint() -> Dict[str, object]:
    """Return the facts of this host, as a process of the environment sees it."""
    _load_numpy()
    cpu = cpu_info(_read("/proc/cpuinfo"))
    flags = (cpu.get("flags") or cpu.get("Features") or "").split()
    libraries = loaded_libraries(_read("/proc/self/maps"))
    cores = sorted(set(openblas_cores(libraries)))
    reached = level(platform.machine(), flags)
    return {
        "class": numerics_class(reached, cores),
        "level": reached,
        "cpu": cpu.get("model name") or cpu.get("CPU part") or "unknown",
        "flags": sorted(flags),
        "blas-kernels": cores,
        "cpus": len(os.sched_getaffinity(0)),
        "libc": " ".join(platform.libc_ver()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "settings": in_force(),
    }


if __name__ == "__main__":
    print(PREFIX + json.dumps({"kind": "host", "host": fingerprint()}, sort_keys=True))
