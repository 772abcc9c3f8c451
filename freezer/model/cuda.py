"""Which CUDA runs on which driver, with which cuDNN, on which GPUs: a table and rules over it.

Sources, all NVIDIA's: "CUDA 13.2 Update 2 Release Notes" (table 2: minor-version compatibility;
table 3: toolkit driver versions) and the release notes of 11.0 to 12.9 before it; "CUDA
Compatibility" for what minor-version compatibility covers; "cuDNN Support Matrix" of 8.9.7, 9.10.2
and 9.17.0; "NVIDIA CUDA Compiler Driver NVCC", the architectures of each toolkit. A toolkit newer
than the table is not refused: what is known of the newest one is then a lower bound, and is said to
be one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from freezer.errors import SpecError

Number = tuple[int, ...]


@dataclass(frozen=True)
class Toolkit:
    """One minor release of the CUDA toolkit."""

    cuda: str
    driver: str
    """The Linux driver that comes with its first release: carries everything in it."""
    floor: str
    """The oldest Linux driver of its major version that still runs it, PTX compiled at run time and
    features of newer drivers aside."""
    capabilities: tuple[str, str]
    """The lowest and the highest compute capability that its compiler and libraries know."""


_TABLE: Final = tuple(
    Toolkit(cuda, driver, floor, capabilities)
    for cuda, driver, floor, capabilities in (
        ("11.0", "450.51.05", "450.51.05", ("3.5", "8.0")),
        ("11.1", "455.23", "450.80.02", ("3.5", "8.6")),
        ("11.2", "460.27.03", "450.80.02", ("3.5", "8.6")),
        ("11.3", "465.19.01", "450.80.02", ("3.5", "8.6")),
        ("11.4", "470.42.01", "450.80.02", ("3.5", "8.7")),
        ("11.5", "495.29.05", "450.80.02", ("3.5", "8.7")),
        ("11.6", "510.39.01", "450.80.02", ("3.5", "8.7")),
        ("11.7", "515.43.04", "450.80.02", ("3.5", "8.7")),
        ("11.8", "520.61.05", "450.80.02", ("3.5", "9.0")),
        ("12.0", "525.60.13", "525.60.13", ("5.0", "9.0")),
        ("12.1", "530.30.02", "525.60.13", ("5.0", "9.0")),
        ("12.2", "535.54.03", "525.60.13", ("5.0", "9.0")),
        ("12.3", "545.23.06", "525.60.13", ("5.0", "9.0")),
        ("12.4", "550.54.14", "525.60.13", ("5.0", "9.0")),
        ("12.5", "555.42.02", "525.60.13", ("5.0", "9.0")),
        ("12.6", "560.28.03", "525.60.13", ("5.0", "9.0")),
        ("12.8", "570.26", "525.60.13", ("5.0", "12.0")),
        ("12.9", "575.51.03", "525.60.13", ("5.0", "12.1")),
        ("13.0", "580.65.06", "580.65.06", ("7.5", "12.1")),
        ("13.1", "590.44.01", "580.65.06", ("7.5", "12.1")),
        ("13.2", "595.45.04", "580.65.06", ("7.5", "12.1")),
    )
)
TOOLKITS: Final = {toolkit.cuda: toolkit for toolkit in _TABLE}
_CUDNN: Final = {11: ("8.0", "9.10"), 12: ("8.8", None), 13: ("9.12", None)}
"""CUDA's major version to the first and the last cuDNN (major and minor) built for it."""
_OWN_DRIVER: Final = (("9.7", "10.0", "570.26"),)
"""From this cuDNN on, GPUs of at least this compute capability need this driver on CUDA 12."""


def number(version: str) -> Number:
    """Return a version as numbers that can be compared: ``(550, 54, 14)``; zeroes at the end aside.

    Raises ``ValueError`` when it is none.
    """
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})*", version):
        msg = f"{version!r} is not a version: numbers with dots between them"
        raise ValueError(msg)
    parts = [int(part) for part in version.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def toolkit_of(cuda: str) -> str:
    """Return the minor release of a CUDA version: ``12.4`` of ``12.4.127`` and of ``12.4``."""
    return ".".join([*cuda.split("."), "0"][:2])


def known(cuda: str) -> Toolkit | None:
    """Return the table's entry of a CUDA version; None if there is none."""
    return TOOLKITS.get(toolkit_of(cuda))


def newer_than_known(cuda: str) -> bool:
    """Say whether a CUDA is younger than this table."""
    return number(toolkit_of(cuda)) > number(_TABLE[-1].cuda)


def nearest_toolkits(cuda: str) -> tuple[str, ...]:
    """Return the toolkits next to one that there is not: the one before and the one after."""
    wanted = number(cuda)
    below = [item.cuda for item in _TABLE if number(item.cuda) < wanted]
    above = [item.cuda for item in _TABLE if number(item.cuda) > wanted]
    return tuple(below[-1:] + above[:1])


def checked(cuda: str) -> str:
    """Return the toolkit that a spec names. Raises ``SpecError`` for one that never was.

    One that is newer than the table passes: what it needs is then an estimate.
    """
    toolkit = toolkit_of(cuda)
    if toolkit in TOOLKITS or newer_than_known(toolkit):
        return toolkit
    nearest = " and ".join(nearest_toolkits(toolkit))
    raise SpecError(
        f"there is no CUDA {cuda}, or none that Freezer knows",
        expected=f"{_TABLE[0].cuda} or newer",
        hint=f"the nearest that exist: {nearest}",
    )


def minimum_driver(cuda: str) -> str:
    """Return the oldest Linux driver that carries all of a CUDA, such as ``550.54.14``.

    Of a CUDA newer than the table it is the newest driver that the table knows: a lower bound.
    Raises ``SpecError`` for a CUDA that there is not.
    """
    toolkit = TOOLKITS.get(checked(cuda))
    return toolkit.driver if toolkit else _TABLE[-1].driver


def driver_floor(cuda: str) -> str:
    """Return the oldest driver that runs a CUDA by minor-version compatibility."""
    toolkit = TOOLKITS.get(checked(cuda))
    return toolkit.floor if toolkit else _TABLE[-1].floor


def cuda_of_driver(driver: str) -> str | None:
    """Return the newest toolkit of which a driver carries everything; None for a very old one."""
    carried = [item.cuda for item in _TABLE if number(item.driver) <= number(driver)]
    return carried[-1] if carried else None


@dataclass(frozen=True)
class DriverVerdict:
    """Whether a driver carries a CUDA."""

    runs: bool
    """False: programs fail at their first call of CUDA."""
    whole: bool
    """False where only minor-version compatibility carries it: kernels that are compiled at run
    time (PTX of newer toolkits, Triton, NVRTC with its own ptxas) may fail."""
    driver: str
    needed: str
    """The oldest driver that carries everything."""
    sentence: str
    """In words, with which driver would do."""


def driver_carries(driver: str, cuda: str) -> DriverVerdict:
    """Say whether a Linux driver carries a CUDA toolkit. Pure.

    Raises ``SpecError`` for a CUDA that there is not and ``ValueError`` for a driver that is no
    version.
    """
    needed, floor = minimum_driver(cuda), driver_floor(cuda)
    have = number(driver)
    runs, whole = have >= number(floor), have >= number(needed) and known(cuda) is not None
    least = "" if known(cuda) else "at least "
    if whole:
        sentence = f"driver {driver} carries CUDA {cuda}"
    elif runs:
        sentence = (
            f"driver {driver} runs CUDA {cuda} by minor-version compatibility only: kernels that "
            f"are compiled at run time (Triton, torch.compile, PTX) may fail; {least}{needed} "
            "carries all of it"
        )
    else:
        sentence = f"driver {driver} is too old for CUDA {cuda}: {least}{needed} carries it"
        if floor != needed:
            sentence += f", {least}{floor} runs it by minor-version compatibility"
    return DriverVerdict(runs, whole, driver, needed, sentence)


def capability_supported(capability: str, cuda: str) -> bool:
    """Say whether a toolkit's compiler and libraries know a GPU of a compute capability (``9.0``).

    A GPU above the newest that the toolkit knows may still run its PTX; it is not supported.
    """
    toolkit = known(cuda) or _TABLE[-1]
    low, high = toolkit.capabilities
    if known(cuda) is None and number(capability) > number(high):
        return True  # a toolkit and a GPU that are both younger than the table
    return number(low) <= number(capability) <= number(high)


def toolkits_for(capability: str) -> tuple[str, str] | None:
    """Return the first and the last toolkit that know a compute capability."""
    fitting = [item.cuda for item in _TABLE if capability_supported(capability, item.cuda)]
    return (fitting[0], fitting[-1]) if fitting else None


def cudnn_fits(cudnn: str, cuda: str) -> bool:
    """Say whether a cuDNN (``9``, ``9.10.2``) is built for a CUDA's major version."""
    low, high = _CUDNN.get(number(toolkit_of(cuda))[0], (None, None))
    wanted = cudnn.split(".")
    if low is None:
        return True
    if len(wanted) == 1:
        return number(low)[0] <= int(cudnn) <= (number(high)[0] if high else int(cudnn))
    release = number(".".join(wanted[:2]))
    return number(low) <= release and (high is None or release <= number(high))


def require_cudnn(cudnn: str | None, cuda: str) -> None:
    """Raise ``SpecError`` for a cuDNN that was never built for a CUDA, naming those that are."""
    if cudnn is None or cudnn_fits(cudnn, cuda):
        return
    others = [str(major) for major in _CUDNN if cudnn_fits(cudnn, f"{major}.0")]
    other = f"; cuDNN {cudnn} is there for CUDA {' and '.join(others)}" if others else ""
    raise SpecError(
        f"there is no cuDNN {cudnn} for CUDA {cuda}",
        expected=f"cuDNN {cudnn_range(cuda)}",
        hint="change accelerator.cudnn, or leave it out to use the framework's own" + other,
    )


def cudnn_range(cuda: str) -> str:
    """Return in words which cuDNN is built for a CUDA: ``8.0 to 9.10``."""
    low, high = _CUDNN.get(number(toolkit_of(cuda))[0], (None, None))
    if low is None:
        return "not known"
    return f"{low} to {high}" if high else f"{low} and newer"


def cudnn_driver(cudnn: str, cuda: str, capability: str | None = None) -> str:
    """Return the oldest driver for a cuDNN on a CUDA and, where it is known, a GPU."""
    least = driver_floor(cuda)
    if capability is None:
        return least
    for release, gpu, driver in _OWN_DRIVER:
        if number(cudnn) >= number(release) and number(capability) >= number(gpu):
            least = max(least, driver, key=number)
    return least
