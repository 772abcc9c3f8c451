"""What in a locked set is documented not to be deterministic, and what is to be done about it.

Every row names its source: the framework's own documentation, or its maintainers' word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.inside.freezer_inside.determinism import table, thread_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Known:
    """One thing that is known of a package."""

    package: str
    says: str
    mitigation: str
    source: str
    gpu: bool = False
    """Whether it concerns GPUs only."""


KNOWN: Final = (
    Known(
        "torch",
        "some operations add in no fixed order (index_add, scatter_add, bincount and others)",
        "torch.use_deterministic_algorithms(True); it raises where there is no other way",
        "https://pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html",
    ),
    Known(
        "torch",
        "cuDNN tries algorithms and takes the fastest, which may be another one each time",
        "torch.backends.cudnn.benchmark = False and deterministic = True",
        "https://pytorch.org/docs/stable/notes/randomness.html",
        gpu=True,
    ),
    Known(
        "torch",
        "data loaders with workers: random transforms draw from a generator of each worker",
        "worker_init_fn and generator, as freezer_inside.worker_init does",
        "https://pytorch.org/docs/stable/notes/randomness.html#dataloader",
    ),
    Known(
        "tensorflow",
        "operations on GPUs and tf.data with parallel calls are not deterministic by default",
        "tf.config.experimental.enable_op_determinism() and tf.keras.utils.set_random_seed()",
        "https://www.tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism",
    ),
    Known(
        "jaxlib",
        "scatter and reductions on GPUs add atomically",
        "XLA_FLAGS=--xla_gpu_deterministic_ops=true; slow for scatter",
        "https://github.com/openxla/xla/issues/17844",
        gpu=True,
    ),
    Known(
        "scikit-learn",
        "estimators without random_state draw from NumPy's global generator",
        "give random_state to each estimator and splitter",
        "https://scikit-learn.org/stable/common_pitfalls.html#controlling-randomness",
    ),
    Known(
        "scikit-learn",
        "forests predict in threads that add in the order in which they end (n_jobs above 1)",
        "predict with n_jobs=1",
        "https://scikit-learn.org/stable/modules/generated/"
        "sklearn.ensemble.RandomForestClassifier.html",
    ),
    Known(
        "lightgbm",
        "histograms and metrics depend on the number of threads, and on whether it goes by rows or "
        "by columns, which it tries at the start",
        "deterministic=true, force_row_wise=true (or force_col_wise), a fixed num_threads",
        "https://lightgbm.readthedocs.io/en/latest/Parameters.html#deterministic",
    ),
    Known(
        "xgboost",
        "the GPU's histograms are rounded before they are added; with several workers the order of "
        "partitions counts",
        "a fixed number of workers and of rows in each",
        "https://xgboost.readthedocs.io/en/stable/faq.html",
        gpu=True,
    ),
    Known(
        "numba",
        "parallel=True and fastmath=True let sums be reordered; code is made for the host's CPU",
        "leave both out, and set NUMBA_CPU_NAME=generic",
        "https://numba.readthedocs.io/en/stable/reference/envvars.html#envvar-NUMBA_CPU_NAME",
    ),
    Known(
        "flash-attn",
        "the backward pass adds atomically",
        "deterministic=True",
        "https://github.com/Dao-AILab/flash-attention#how-to-use-flashattention",
        gpu=True,
    ),
    Known(
        "torch-scatter",
        "scatter on GPUs adds atomically",
        "torch_geometric's EdgeIndex with sorted indices, or segment_csr",
        "https://pytorch-scatter.readthedocs.io/en/latest/functions/scatter.html",
        gpu=True,
    ),
    Known(
        "umap-learn",
        "it runs in parallel, and then without a fixed order, unless random_state is set",
        "set random_state, which also makes it run in one thread",
        "https://umap-learn.readthedocs.io/en/latest/reproducibility.html",
    ),
)
_NAMES: Final = {
    "pytorch": "torch",
    "py-xgboost": "xgboost",
    "tensorflow-base": "tensorflow",
    "tensorflow-cpu": "tensorflow",
    "xgboost-cpu": "xgboost",
}
"""What conda, and builds without GPUs, call some of them."""


@dataclass(frozen=True)
class Note:
    """What is known of a lock without running anything."""

    about: str
    """A package with its version, or a setting."""
    says: str
    mitigation: str
    source: str | None = None


def notes(lock: Lock) -> tuple[Note, ...]:
    """Return what documentation and settings say about a lock. Pure."""
    return (*_packages(lock), *_settings(lock))


def _packages(lock: Lock) -> Iterator[Note]:
    versions = {_NAMES.get(item.name, item.name): item.version for item in lock.conda}
    versions |= {_NAMES.get(item.name, item.name): item.version for item in lock.pip}
    for row in KNOWN:
        if row.package in versions and (not row.gpu or lock.accelerator is not None):
            about = f"{row.package} {versions[row.package]}"
            yield Note(about, row.says, row.mitigation, row.source)


def _settings(lock: Lock) -> Iterator[Note]:
    """Yield where the spec's own variables undo what every image sets.

    An older lock may lack a variable that there was not yet; that is no one's doing.
    """
    for row in table(lock.smoke.seed, lock.smoke.cpus):
        if row.name not in lock.environment:
            continue
        value = lock.environment[row.name]
        counts = row.name in thread_counts(1)
        fixed = not counts and not row.name.startswith("FREEZER_")
        if fixed and value != row.value:
            yield Note(
                f"{row.name}={value}",
                f"the spec's `env` replaces {row.name}={row.value}, by which {row.why}",
                f"leave {row.name} out of `env`",
                row.source,
            )
        elif counts and not value.isdigit():
            yield Note(
                f"{row.name}={value}",
                "the number of threads is not fixed: sums are split as the host has CPUs",
                f"leave {row.name} out of `env`, and set determinism.threads",
                row.source,
            )
