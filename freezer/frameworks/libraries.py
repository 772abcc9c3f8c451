"""Libraries that compute, or feed what computes, and have no built-in training of their own."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import Documented, Framework, Gpu, Influence, Measured
from freezer.frameworks.hosts import DAY, ZEN_3

_SCIPY: Final = Framework(
    title="SciPy",
    packages=("scipy",),
    debian=("python3-scipy",),
    bundled_blas="openblas",
    measured=(
        Measured(
            package="scipy",
            versions=("1.17.1",),
            operation="scipy.sparse.linalg: eigsh, eigs, svds without v0",
            factor="process",
            effect="varies",
            finding="other bits in each process and in each call, whatever numpy.random.seed says",
            setting="rng=1, or v0",
            how="np.random.seed(0), three processes, two calls in each",
            cpu=ZEN_3,
            date=DAY,
        ),
        Measured(
            package="scipy",
            versions=("1.11.4", "1.13.1"),
            operation="scipy.sparse.linalg.eigsh without v0",
            factor="call",
            effect="varies",
            finding="the first call is the same in each process, later calls of one process are "
            "not: ARPACK keeps a state of its own",
            setting="v0",
            how="np.random.seed(0), four processes, three calls in each",
            cpu=ZEN_3,
            date=DAY,
        ),
    ),
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
    measured=(
        Measured(
            package="numba",
            versions=("0.68.1",),
            operation="@njit(parallel=True): a sum by prange",
            factor="threads",
            effect="differs",
            finding="1 and 2 threads give other bits; 2 repeat themselves",
            setting="the same NUMBA_NUM_THREADS everywhere",
            how="20 calls in each of three processes, OpenMP layer",
            cpu=ZEN_3,
            date=DAY,
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
    measured=(
        Measured(
            package="umap-learn",
            versions=("0.5.12",),
            operation="UMAP(random_state=None).fit",
            factor="process",
            effect="varies",
            finding="other embeddings, although numpy.random.seed(0) was called",
            setting="random_state=1, which sets n_jobs to 1",
            how="800 x 20, two Numba threads, two processes each",
            cpu=ZEN_3,
            date=DAY,
        ),
    ),
)
_FAISS: Final = Framework(
    title="Faiss",
    packages=("faiss-cpu",),
    conda={"faiss": "faiss-cpu"},
    mistaken=("faiss",),
    measured=(
        Measured(
            package="faiss-cpu",
            versions=("1.7.4", "1.8.0.post1", "1.10.0", "1.12.0", "1.13.2"),
            operation="IndexHNSW.add",
            factor="call",
            effect="varies",
            finding="with 2 threads another index each time; no longer in 1.15.1",
            setting="one thread",
            how="6000 x 16, six indexes for each version, serialised bytes",
            cpu=ZEN_3,
            date=DAY,
        ),
    ),
    gpu=Gpu(
        source="the names on the Python package index",
        cpu_wheels={"faiss-cpu": "faiss-gpu-cu12"},
    ),
)

LIBRARIES: Final = (_SCIPY, _NUMBA, _FAISS, _FLASH_ATTENTION, _TORCH_SCATTER, _UMAP)
