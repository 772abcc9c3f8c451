"""Which libraries do arithmetic: known by file name, told apart by what is in them."""

from __future__ import annotations

import mmap
import os
import re
from typing import List, NamedTuple, Optional, Pattern, Tuple


class Kind(NamedTuple):
    """A library that is worth listing."""

    name: str
    roles: Tuple[str, ...]
    pattern: Optional[bytes]
    """Finds the version in the bytes, as the first group; the greatest one counts."""


_MATHS = ("blas", "lapack")
_OPENBLAS = rb"OpenBLAS (\d+(?:\.\d+)+)"
_MKL = rb"Math Kernel Library Version ([\d.]+)|Product Build (\d{8})"
_BLIS = rb"(BLIS_ARCH_TYPE)"
"""BLIS leaves the variable that it reads; its version it says only when it runs."""


_TAIL = r"(?:-(?:r\d[\w.-]*|[0-9a-f]{8}[\w.-]*|\d[\d.]*))?(?:\.alt)?\.so(?:\.[\w.]+)?"
"""What follows a library's name: a release, the hash that auditwheel puts there, a version."""


def _files(
    *rows: Tuple[str, str, Tuple[str, ...], Optional[bytes]],
) -> List[Tuple[Pattern[str], Kind]]:
    return [
        (re.compile(f"lib(?:{stem}){_TAIL}"), Kind(name, kinds, text))
        for stem, name, kinds, text in rows
    ]


_KINDS = _files(
    (r"(?:scipy_)?openblas(?:64_?)?[po]?", "OpenBLAS", _MATHS, _OPENBLAS),
    (r"mkl_\w+", "MKL", _MATHS, _MKL),
    (r"blis(?:64)?", "BLIS", ("blas",), None),
    (r"[st]?atlas", "ATLAS", _MATHS, None),
    (r"flexiblas", "FlexiBLAS", _MATHS, None),
    (r"c?blas(?:64)?", "netlib", ("blas",), None),
    (r"lapacke?(?:64)?", "netlib", ("lapack",), None),
    (r"gomp", "libgomp", ("openmp",), rb"(?<=\0)(GOMP_\d[\d.]*)(?=\0)"),
    (r"iomp5", "libiomp5", ("openmp",), rb"(?:OMP version|Runtime).{0,3}: ?(\d[\d.]*)"),
    (r"omp", "libomp", ("openmp",), rb"(?:LLVM OMP version|OMP version): ?(\d[\d.]*)"),
    (r"dnnl|mkldnn", "oneDNN", ("onednn",), rb"oneDNN v(\d[\d.]*)"),
    (r"cudnn\w*", "cuDNN", ("cudnn",), None),
    (r"nccl", "NCCL", ("nccl",), rb"NCCL version (\d[\d.]*)"),
    (r"cudart", "CUDA runtime", ("cuda",), None),
    (r"cublas(?:Lt)?", "cuBLAS", ("cuda",), None),
    (r"cusolver\w*", "cuSOLVER", ("cuda",), None),
    (r"cusparse\w*", "cuSPARSE", ("cuda",), None),
    (r"cufftw?", "cuFFT", ("cuda",), None),
    (r"curand", "cuRAND", ("cuda",), None),
    (r"nvrtc(?!-builtins)\w*", "NVRTC", ("cuda",), None),
    (r"nvJitLink", "nvJitLink", ("cuda",), None),
    (r"gfortran", "libgfortran", ("libgfortran",), rb"(?<=\0)(GFORTRAN_\d[\d.]*)(?=\0)"),
    (r"quadmath", "libquadmath", ("libm",), None),
    (r"stdc\+\+", "libstdc++", ("libstdc++",), rb"(?<=\0)(GLIBCXX_\d[\d.]*)(?=\0)"),
    (r"imf|svml|irng", "Intel libm", ("libm",), None),
    (r"m", "libm", ("libm",), rb"(?<=\0)(GLIBC_\d[\d.]*)(?=\0)"),
    (r"mvec", "libmvec", ("libm",), None),
    (r"c", "libc", ("libc",), rb"release version (\d[\d.]*\d)"),
)

_UNDER_ANOTHER_NAME = (
    (_OPENBLAS, Kind("OpenBLAS", _MATHS, _OPENBLAS)),
    (_MKL, Kind("MKL", _MATHS, _MKL)),
    (_BLIS, Kind("BLIS", _MATHS, None)),
)
"""What ``libblas.so.3`` and ``liblapack.so.3`` may be in truth, as Debian's alternatives are."""

IMPLEMENTATIONS = frozenset({"ATLAS", "BLIS", "FlexiBLAS", "MKL", "OpenBLAS"})
"""What a ``libblas.so.3`` may hand its calls on to."""

_HOLDERS = re.compile(
    r"libtorch(_cpu)?\.so|libtensorflow_(cc|framework)\.so\.\d+|_pywrap_tensorflow_internal\.so"
    r"|xla_extension\.so|libjax_common\.so|libonnxruntime\.so[\d.]*|libxgboost\.so"
)
"""Large libraries of frameworks that have others linked into them."""
_MARKS = (
    ("MKL", _MATHS, b"MKL_VERBOSE"),
    ("oneDNN", ("onednn",), b"oneDNN v%d"),
    ("OpenBLAS", _MATHS, b"OPENBLAS_CORETYPE"),
)
"""What a library that is linked in leaves in the bytes. Its version it says only when it runs."""
_LARGEST = 512 << 20
"""Bytes of a library that are searched."""


def kind_of(path: str) -> Optional[Kind]:
    """Return what a library is by the name of its file; None when it does no arithmetic."""
    name = os.path.basename(path)
    return next((kind for pattern, kind in _KINDS if pattern.fullmatch(name)), None)


def true_kind(path: str, kind: Kind) -> Kind:
    """Look into a library that goes by netlib's names, since others do so too."""
    if kind.name != "netlib":
        return kind
    for mark, other in _UNDER_ANOTHER_NAME:
        if version(path, mark) is not None:
            return Kind(other.name, kind.roles, other.pattern)
    return kind


def version(path: str, pattern: Optional[bytes]) -> Optional[str]:
    """Return the greatest version that a file's bytes tell."""
    if pattern is None:
        return None
    try:
        with (
            open(path, "rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            texts = {
                next(group for group in match.groups() if group)
                for match in re.finditer(pattern, data[:_LARGEST] if len(data) > _LARGEST else data)
            }
    except (OSError, ValueError):
        return None
    found = [text.decode("ascii", "replace").rstrip(".") for text in texts]
    return max(found, key=_ordered) if found else None


def holds(path: str, constants: Tuple[int, int]) -> List[Kind]:
    """Return what a framework's own library has linked into it.

    ``constants`` is where its texts lie; (0, 0) where that is not known.
    """
    if not _HOLDERS.fullmatch(os.path.basename(path)):
        return []
    try:
        with (
            open(path, "rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            start, end = (min(at, len(data)) for at in constants)
            if start >= end:
                start, end = 0, len(data)
            return [
                Kind(name, kinds, None)
                for name, kinds, mark in _MARKS
                if data.find(mark, start, end) >= 0
            ]
    except (OSError, ValueError):
        return []


def _ordered(text: str) -> Tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))
