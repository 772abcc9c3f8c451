"""What of a host chooses kernels that no BLAS tells of, as parts of a numerics class.

- XLA's products (JAX) and TensorFlow's are Eigen's, which are blocked by the sizes of the CPU's
  caches; no switch fixes them: https://gitlab.com/libeigen/eigen/-/blob/master/Eigen/src/Core/products/GeneralBlockPanelKernel.h
- PyTorch has MKL within it, which takes other kernels on CPUs of other makers. Even told to be
  compatible its square root has other bits (measured, PyTorch 2.13), most likely by ``rsqrtps``,
  an approximation that each maker chooses.
- A GPU's kernels are those of its model.
"""

from __future__ import annotations

import glob
import re
from importlib.util import find_spec
from typing import Dict, Iterator, List

from . import nvml

CACHES = "/sys/devices/system/cpu/cpu0/cache/index*"
GPUS = "/proc/driver/nvidia/gpus/*/information"
_MAKERS = {"GenuineIntel": "intel", "AuthenticAMD": "amd"}


def further_kernels(cpu: Dict[str, str]) -> List[str]:
    """Return the further parts of this host's class, given its CPU as /proc/cpuinfo has it."""
    found = []
    if find_spec("torch") is not None:
        found.append(_MAKERS.get(cpu.get("vendor_id", ""), "other"))
    if any(find_spec(name) is not None for name in ("jaxlib", "tensorflow")):
        found.append("-".join(["cache", *caches()]))
    return [*found, *gpus()]


def caches(pattern: str = CACHES) -> List[str]:
    """Return the sizes of the first CPU's caches of data, nearest first, such as ``32k``."""
    found = {}
    for folder in sorted(glob.glob(pattern)):
        kind, level, size = (_line(f"{folder}/{name}") for name in ("type", "level", "size"))
        if kind in ("Data", "Unified"):
            found[level] = size.lower()
    return [found[level] for level in sorted(found)]


def gpus(pattern: str = GPUS) -> List[str]:
    """Return the models of the NVIDIA GPUs that this process sees, each once.

    The driver's library says it where it is there, else the kernel does.
    """
    names = {gpu.name for gpu in nvml.ask() or ()} or set(_models(pattern))
    return sorted({re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in names})


def _models(pattern: str) -> Iterator[str]:
    for path in glob.glob(pattern):
        match = re.search(r"^Model:\s*(.+)$", _read(path), re.MULTILINE)
        if match:
            yield match[1]


def _line(path: str) -> str:
    return _read(path).strip()


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
