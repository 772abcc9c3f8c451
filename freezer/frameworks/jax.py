"""JAX and XLA, its compiler, which jaxlib holds."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import (
    Companion,
    Documented,
    Framework,
    Gpu,
    Influence,
    Measured,
    Switch,
    Tolerance,
)
from freezer.frameworks.hosts import DAY, ZEN_3, ZEN_4_STUDY

_STREAMS: Final = "digests of what PRNGKey(0) draws, in a fresh process of each version"

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
    measured=(
        Measured(
            package="jax",
            versions=("0.4.30", "0.5.3", "0.7.2", "0.10.2"),
            operation="jax.random: uniform, normal, permutation, categorical, bernoulli, split, "
            "bits, randint, choice, gumbel",
            factor="version",
            effect="differs",
            finding="a key draws other numbers from 0.5 on, where jax_threefry_partitionable "
            "became the default",
            setting="jax_threefry_partitionable=False: uniform, permutation, categorical, "
            "bernoulli, split, bits and randint as before",
            how=_STREAMS,
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="jax",
            versions=("0.5.3", "0.7.2", "0.10.2"),
            operation="jax.random.normal",
            factor="version",
            effect="differs",
            finding="0.7.2 alone draws other numbers, by the arithmetic of erf_inv; 0.5.3 and "
            "0.10.2 agree",
            how=_STREAMS,
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="jax",
            versions=("0.5.3", "0.7.2", "0.10.2"),
            operation="jax.random.truncated_normal",
            factor="version",
            effect="differs",
            finding="other numbers from 0.7.2 on",
            how=_STREAMS,
            cpu=ZEN_3,
            date=DAY,
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
