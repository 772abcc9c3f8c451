"""NumPy: its random streams, and the BLAS that its wheels bundle."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import Framework, Influence, Measured, Tolerance
from freezer.frameworks.hosts import DAY, ZEN_3, ZEN_4_STUDY

_VERSIONS: Final = ("1.22.4", "1.26.4", "2.0.2", "2.2.6", "2.4.6")
_STREAMS: Final = "digests of what a seed draws, in fresh processes of each version"

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
    measured=(
        Measured(
            package="numpy",
            versions=_VERSIONS,
            operation="numpy.random.Generator.wald",
            factor="version",
            effect="differs",
            finding="a seed draws other numbers in 2.4.6 than up to 2.2.6",
            how=_STREAMS,
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="numpy",
            versions=_VERSIONS,
            operation="numpy.random: every other method of Generator and RandomState",
            factor="version",
            effect="same",
            finding="103 of 104 methods draw the same numbers in all five versions",
            how=_STREAMS,
            cpu=ZEN_3,
            date=DAY,
        ),
    ),
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
