"""Libraries that compute, or feed what computes, and have no built-in training of their own."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import Documented, Framework, Gpu, Influence

_SCIPY: Final = Framework(
    title="SciPy",
    packages=("scipy",),
    debian=("python3-scipy",),
    bundled_blas="openblas",
    changes=(
        Influence(
            pattern="scipy",
            likelihood="likely",
            why="its optimisers and linear algebra are under scikit-learn's",
        ),
    ),
)
_NUMBA: Final = Framework(
    title="Numba",
    packages=("numba",),
    also=("llvmlite",),
    documented=(
        Documented(
            says="parallel=True and fastmath=True let sums be reordered; code is made for the "
            "host's CPU",
            mitigation="leave both out, and set NUMBA_CPU_NAME=generic",
            source="https://numba.readthedocs.io/en/stable/reference/envvars.html"
            "#envvar-NUMBA_CPU_NAME",
        ),
    ),
    changes=(
        Influence(
            pattern=r"numba|llvmlite",
            likelihood="possible",
            why="it compiles the loops that are run",
        ),
    ),
)
_FLASH_ATTENTION: Final = Framework(
    title="FlashAttention",
    packages=("flash-attn",),
    documented=(
        Documented(
            says="the backward pass adds atomically",
            mitigation="deterministic=True",
            source="https://github.com/Dao-AILab/flash-attention#how-to-use-flashattention",
            gpu=True,
        ),
    ),
)
_TORCH_SCATTER: Final = Framework(
    title="PyTorch Scatter",
    packages=("torch-scatter",),
    documented=(
        Documented(
            says="scatter on GPUs adds atomically",
            mitigation="torch_geometric's EdgeIndex with sorted indices, or segment_csr",
            source="https://pytorch-scatter.readthedocs.io/en/latest/functions/scatter.html",
            gpu=True,
        ),
    ),
)
_UMAP: Final = Framework(
    title="UMAP",
    packages=("umap-learn",),
    documented=(
        Documented(
            says="it runs in parallel, and then without a fixed order, unless random_state is set",
            mitigation="set random_state, which also makes it run in one thread",
            source="https://umap-learn.readthedocs.io/en/latest/reproducibility.html",
        ),
    ),
)
_FAISS: Final = Framework(
    title="Faiss",
    packages=("faiss-cpu",),
    conda={"faiss": "faiss-cpu"},
    mistaken=("faiss",),
    gpu=Gpu(
        source="the names on the Python package index",
        cpu_wheels={"faiss-cpu": "faiss-gpu-cu12"},
    ),
)

LIBRARIES: Final = (_SCIPY, _NUMBA, _FAISS, _FLASH_ATTENTION, _TORCH_SCATTER, _UMAP)
