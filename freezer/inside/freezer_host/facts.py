"""What may separate a host from others of its class: microcode, kernel, driver, clocks, ECC."""

from __future__ import annotations

import os
import platform
from typing import Dict, List, Sequence

from .process import call

_CPU = ("vendor_id", "model name", "cpu family", "model", "stepping", "microcode")
_GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
_SMT = "/sys/devices/system/cpu/smt/control"
_SMI = (
    "driver_version",
    "name",
    "vbios_version",
    "ecc.mode.current",
    "clocks.applications.graphics",
    "clocks.applications.memory",
    "clocks.max.sm",
    "mig.mode.current",
    "persistence_mode",
    "power.limit",
)
"""Fields of ``nvidia-smi --query-gpu``; https://docs.nvidia.com/deploy/nvidia-smi/."""
_LONGEST = 300


def host_facts() -> Dict[str, str]:
    """Return the facts by name; what a host does not tell is left out."""
    found = {
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpus": str(os.cpu_count() or 0),
        "governor": _line(_GOVERNOR),
        "smt": _line(_SMT),
        **_cpu(),
        **_gpus(),
    }
    return {name: value[:_LONGEST] for name, value in found.items() if value}


def _cpu() -> Dict[str, str]:
    found: Dict[str, str] = {}
    for line in _text("/proc/cpuinfo").splitlines():
        if not line.strip() and found:
            break
        name, _, value = line.partition(":")
        if name.strip() in _CPU:
            found["cpu " + name.strip() if name.strip() != "microcode" else "microcode"] = (
                value.strip()
            )
    return found


def _gpus() -> Dict[str, str]:
    """Return what NVIDIA's own program says; it asks NVML, in a process that may hang."""
    if not os.path.exists("/proc/driver/nvidia/version"):
        return {}
    asked = ["nvidia-smi", "--query-gpu=" + ",".join(_SMI), "--format=csv,noheader"]
    done = call(asked, timeout=30.0)
    if done.exit != 0:
        return {"gpu": "nvidia-smi: " + done.why}
    return gpu_facts(done.out.decode("utf-8", "replace").splitlines())


def gpu_facts(lines: Sequence[str]) -> Dict[str, str]:
    """Return the facts of all GPUs by field, those of several GPUs joined."""
    rows: List[List[str]] = [[part.strip() for part in one.split(",")] for one in lines]
    rows = [row for row in rows if len(row) == len(_SMI)]
    return {
        "gpu " + field: "; ".join(dict.fromkeys(row[number] for row in rows))
        for number, field in enumerate(_SMI)
        if rows
    }


def _line(path: str) -> str:
    return _text(path).strip().partition("\n")[0]


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(1 << 20)
    except OSError:
        return ""
