"""What NVIDIA's driver says of a host's GPUs, asked through its own library, NVML.

Names as in https://docs.nvidia.com/deploy/nvml-api/. Run as a program it prints one JSON document;
the library is then in a process of its own, which may be ended when it does not answer.
"""

from __future__ import annotations

import ctypes
import json
from typing import Any, List, NamedTuple, Optional

LIBRARY = "libnvidia-ml.so.1"
_LONGEST = 96
"""Bytes that a name or a version may take: NVML_DEVICE_NAME_V2_BUFFER_SIZE."""


class Gpu(NamedTuple):
    """One GPU."""

    driver: str
    capability: str
    """Such as ``9.0``; empty where an old driver does not tell."""
    name: str

    def __str__(self) -> str:
        """Return one line for people, and for comparing."""
        said = f", compute capability {self.capability}" if self.capability else ""
        return f"{self.name}{said}, driver {self.driver}"


def ask(path: str = LIBRARY) -> Optional[List[Gpu]]:
    """Return the GPUs of this host; None where there is no NVML, or it does not work."""
    try:
        library = ctypes.CDLL(path)
        if library.nvmlInit_v2() != 0:
            return None
    except (OSError, AttributeError):
        return None
    try:
        return _gpus(library)
    except (AttributeError, ValueError):
        return None
    finally:
        library.nvmlShutdown()


def _gpus(library: Any) -> List[Gpu]:
    driver, count = _text(library.nvmlSystemGetDriverVersion), ctypes.c_uint(0)
    if library.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        raise ValueError("the GPUs cannot be counted")
    return [_gpu(library, number, driver) for number in range(count.value)]


def _gpu(library: Any, number: int, driver: str) -> Gpu:
    handle, major, minor = ctypes.c_void_p(), ctypes.c_int(0), ctypes.c_int(0)
    if library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(number), ctypes.byref(handle)) != 0:
        raise ValueError(f"GPU {number} does not answer")
    parts = ctypes.byref(major), ctypes.byref(minor)
    told = library.nvmlDeviceGetCudaComputeCapability(handle, *parts) == 0
    name = _text(library.nvmlDeviceGetName, handle)
    return Gpu(driver, f"{major.value}.{minor.value}" if told else "", name)


def _text(function: Any, *arguments: Any) -> str:
    buffer = ctypes.create_string_buffer(_LONGEST)
    if function(*arguments, buffer, ctypes.c_uint(_LONGEST)) != 0:
        raise ValueError("NVML does not tell")
    return buffer.value.decode("utf-8", "replace")


if __name__ == "__main__":
    found = ask()
    print(json.dumps(None if found is None else [gpu._asdict() for gpu in found]))
