"""JAX and XLA, its compiler, which jaxlib holds."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import (
    Companion,
    Documented,
    Framework,
    Gpu,
    Influence,
    Switch,
    Tolerance,
)
from freezer.frameworks.hosts import ZEN_4_STUDY

DESCRIPTION: Final = Framework(
    title="JAX",
    packages=("jax",),
    also=("jaxlib",),
    training="jax",
    tolerance=Tolerance(loss=1e-5, tensor=1e-5, source=ZEN_4_STUDY),
    seeded=True,
    switches=(
        Switch("default_matmul_precision"),
        Switch("threefry_partitionable"),
        Switch("xla_gpu_deterministic_ops", gpu=True),
    ),
    # https://github.com/openxla/xla/blob/main/xla/xla.proto
    oldest_kernels={"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"},
    documented=(
        Documented(
            says="scatter and reductions on GPUs add atomically",
            mitigation="XLA_FLAGS=--xla_gpu_deterministic_ops=true; slow for scatter",
            source="https://github.com/openxla/xla/issues/17844",
            gpu=True,
        ),
    ),
    changes=(
        Influence(
            pattern=r"jax|jaxlib",
            likelihood="likely",
            why="XLA fuses and orders operations anew with each release",
        ),
    ),
    variables=(
        Influence(pattern="XLA_FLAGS", likelihood="likely", why="it chooses the CPU kernels"),
    ),
    gpu=Gpu(
        source="https://docs.jax.dev/en/latest/installation.html and the builds of conda-forge",
        companions=(
            Companion(package="jaxlib", needs=r"jax-cuda\d+-plugin", ask="jax[cuda{major}]"),
        ),
        conda=("jaxlib",),
    ),
)
