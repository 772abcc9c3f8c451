"""Which linear algebra a process has loaded, and which of its kernels were taken for this CPU.

A library is asked by functions of its own, wherever it came from: a wheel, a conda package, Debian.
Names as in https://github.com/joblib/threadpoolctl, which asks the same libraries.
"""

from __future__ import annotations

import ctypes
import os
import re
from typing import Iterator, List, NamedTuple, Optional, Sequence

_OPENBLAS = ("{}", "scipy_{}", "{}64_", "scipy_{}64_", "{}_64", "scipy_{}_64")
"""How builds of OpenBLAS rename its functions."""
_MKL_KERNELS = re.compile(r"libmkl_(avx10|avx512|avx2|avx|def|mc3|mc)(?:\.|$)")


class Blas(NamedTuple):
    """One loaded library."""

    name: str
    version: str
    kernels: str
    """Such as ``SkylakeX``, ``mkl-avx512``, ``blis-zen3``; empty where there is one set only, or it
    does not tell."""
    threads: int
    """That it would use now; 0 where it does not tell."""

    def __str__(self) -> str:
        """Return one line for people, and for comparing."""
        parts = [f"{self.name} {self.version}".strip(), self.kernels]
        counted = f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        return ", ".join(part for part in [*parts, counted if self.threads else ""] if part)


def loaded_libraries(maps: str) -> List[str]:
    """Return the shared libraries of a /proc/self/maps."""
    paths = {line.split(None, 5)[5] for line in maps.splitlines() if line.count("/")}
    return sorted(path.strip() for path in paths if ".so" in path)


def loaded_blas(libraries: Sequence[str]) -> List[Blas]:
    """Return what those of the libraries say that are a BLAS."""
    return [found for path in libraries for found in _ask(path, libraries)]


def _ask(path: str, libraries: Sequence[str]) -> Iterator[Blas]:
    file = os.path.basename(path)
    if "openblas" in file:
        yield from _openblas(ctypes.CDLL(path))
    elif file.startswith("libmkl_rt"):
        yield from _mkl(ctypes.CDLL(path), libraries)
    elif file.startswith(("libblis", "libblas", "libcblas")):
        library = ctypes.CDLL(path)
        known = [*_openblas(library), *_blis(library)]
        yield from known
        if not known and file.startswith("libblas"):
            yield Blas(file, "", "", 0)  # netlib's has no kernels to choose from; others do not say


def _openblas(library: ctypes.CDLL) -> Iterator[Blas]:
    core = _text(library, "openblas_get_corename", _OPENBLAS)
    if core:
        config = _text(library, "openblas_get_config", _OPENBLAS).split()
        version = next((word for word in config if word[:1].isdigit()), "")
        threads = _number(library, "openblas_get_num_threads", _OPENBLAS)
        yield Blas("OpenBLAS", version, core, threads)


def _mkl(library: ctypes.CDLL, libraries: Sequence[str]) -> Iterator[Blas]:
    buffer = ctypes.create_string_buffer(256)
    library.mkl_get_version_string(buffer, 256)
    version = re.search(r"Version (\S+)", buffer.value.decode("ascii", "replace"))
    # It loads the kernels that it takes as libraries of their own, with the first product.
    names = sorted({found[1] for path in libraries for found in _MKL_KERNELS.finditer(path)})
    kernels = "-".join(["mkl", *names]) if names else ""
    yield Blas(
        "MKL", version[1] if version else "", kernels, _number(library, "MKL_Get_Max_Threads")
    )


def _blis(library: ctypes.CDLL) -> Iterator[Blas]:
    version = _text(library, "bli_info_get_version_str")
    if not version:
        return
    library.bli_arch_string.restype = ctypes.c_char_p
    name: Optional[bytes] = library.bli_arch_string(library.bli_arch_query_id())
    kernels = f"blis-{name.decode()}" if name else ""
    yield Blas("BLIS", version, kernels, _number(library, "bli_thread_get_num_threads"))


def _text(library: ctypes.CDLL, name: str, forms: Sequence[str] = ("{}",)) -> str:
    for form in forms:
        function = getattr(library, form.format(name), None)
        if function is not None:
            function.restype = ctypes.c_char_p
            return (function() or b"").decode("ascii", "replace")
    return ""


def _number(library: ctypes.CDLL, name: str, forms: Sequence[str] = ("{}",)) -> int:
    for form in forms:
        function = getattr(library, form.format(name), None)
        if function is not None:
            function.restype = ctypes.c_int
            return int(function())
    return 0
