"""NumPy: its random streams, and the BLAS that its wheels bundle."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import Framework, Influence, Tolerance
from freezer.frameworks.hosts import ZEN_4_STUDY

DESCRIPTION: Final = Framework(
    title="NumPy",
    packages=("numpy",),
    debian=("python3-numpy",),
    training="numpy",
    tolerance=Tolerance(loss=1e-5, tensor=1e-5, source=ZEN_4_STUDY),
    seeded=True,
    # https://numpy.org/doc/stable/reference/simd/build-options.html#runtime-dispatch
    oldest_kernels={"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR X86_V3"},
    bundled_blas="openblas",  # https://github.com/MacPython/openblas-libs
    changes=(
        Influence(
            pattern="numpy",
            likelihood="likely",
            why="sums, products and random streams come from it",
        ),
    ),
    variables=(
        Influence(pattern=r"NPY_\w+", likelihood="likely", why="it chooses the CPU kernels"),
    ),
)
