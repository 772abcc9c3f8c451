"""What is changed, one thing at a time, before a built-in training runs.

Code is run with the training's module as ``t``, and ``trainer``, ``record``, ``np`` and ``os``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freezer.inside.freezer_inside.determinism import thread_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NETWORKS = ("numpy", "torch", "jax", "tensorflow")
LOADED = ("torch", "tensorflow")
EVERY = ("numpy", "sklearn", "torch", "jax", "tensorflow", "xgboost", "lightgbm")
WITHOUT, WORKERS = "FREEZER_WITHOUT", "FREEZER_WORKERS"

LABEL = """
make = trainer.classification
def classification(*arguments):
    data = make(*arguments)
    data.labels[5] = (data.labels[5] + 1) % data.classes
    return data
trainer.classification = classification
"""
SAMPLES = """
make = trainer.classification
def classification(*arguments):
    data = make(*arguments)
    rows, width = data.features, data.columns
    rows[:width], rows[width:2 * width] = rows[width:2 * width], rows[:width]
    data.labels[:2] = data.labels[1::-1]
    return data
trainer.classification = classification
"""
ORDER = """
shuffle = trainer.shuffled
def shuffled(*arguments):
    rows = shuffle(*arguments)
    rows[0], rows[600] = rows[600], rows[0]
    return rows
trainer.shuffled = shuffled
"""
FIRST_WEIGHT = """
import struct, sys
place = sys.modules.get("freezer_inside.torch_model", t)
draw = place.dyadic
def dyadic(*arguments, **named):
    values = draw(*arguments, **named)
    if not dyadic.done:
        dyadic.done = True
        [bits] = struct.unpack("<I", struct.pack("<f", values[1]))
        [values[1]] = struct.unpack("<f", struct.pack("<I", bits ^ 1))
    return values
dyadic.done = False
place.dyadic = dyadic
"""
LAST_WEIGHT = """
tell = record.Recorder.tensor
def tensor(self, name, values, step=0, **how):
    if (name, step) == LAST:
        values = np.array(values.detach() if hasattr(values, "detach") else values, order="C")
        values.view("u1").reshape(-1)[-values.dtype.itemsize] ^= 1
    tell(self, name, values, step, **how)
record.Recorder.tensor = tensor
"""
LAST = {
    "numpy": ("w1", 24),
    "sklearn": ("network: layer 0", 4),
    "torch": ("wide.weight", 16),
    "jax": ("w1", 16),
    "tensorflow": ("wide", 16),
    "xgboost": ("trees", 20),
    "lightgbm": ("trees", 20),
}
"""The tensor of each training whose last bit is turned, and the step."""


@dataclass(frozen=True)
class Mutation:
    """One change, what of it must be seen first, and what must be named as its cause."""

    title: str
    trainings: Sequence[str]
    code: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    first: str = ""
    """A pattern that the first difference answers; empty: any."""
    cause: str = ""
    """A pattern that one of the named causes answers; empty: nothing but the place is known."""

    def script(self, training: str) -> str:
        """Return the code for one training."""
        return f"LAST = {LAST[training]!r}\n{self.code}" if "LAST" in self.code else self.code


def _kernels(training: str, title: str, **environment: str) -> Mutation:
    [name] = [*environment][:1]
    return Mutation(title, [training], environment=environment, cause=rf"\b{name}\b")


def _flag(training: str, switch: str) -> Mutation:
    title = f"{training}: {switch}"
    cause = rf"setting {title} is .*, was"
    return Mutation(f"{title} left out", [training], environment={WITHOUT: title}, cause=cause)


def _type(training: str, title: str, code: str, cause: str = "") -> Mutation:
    return Mutation(title, [training], code, cause=cause)


MUTATIONS: Sequence[Mutation] = (
    Mutation("seed", EVERY, environment={"FREEZER_SEED": "4321"}, first="random numbers",
             cause="FREEZER_SEED is 4321, was 1234"),
    Mutation("one label flipped", EVERY, LABEL, first="data 'labels'",
             cause="the data 'labels' are other data"),
    Mutation("two samples swapped in the data", EVERY, SAMPLES, first="data 'features'",
             cause="the data 'features' are other data"),
    Mutation("two samples swapped between batches", EVERY, ORDER, first="data 'order'",
             cause="the data 'order' are other data"),
    Mutation("one bit of one first weight", NETWORKS, FIRST_WEIGHT, first="data 'first ",
             cause="the data 'first .*' are other data"),
    Mutation("one bit of one last weight", EVERY, LAST_WEIGHT, first="at step"),
    Mutation("learning rate, by 2^-22", NETWORKS, "t.RATE = type(t.RATE)(t.RATE * (1 + 2**-22))",
             first="at step 1$"),
    Mutation("1 thread", EVERY, environment=thread_counts(1), first="at step|setting of",
             cause="OMP_NUM_THREADS is 1, was 2"),
    Mutation("3 threads", EVERY, environment=thread_counts(3), first="at step|setting of",
             cause="OMP_NUM_THREADS is 3, was 2"),
    Mutation("another hash seed", EVERY, environment={"PYTHONHASHSEED": "7"},
             first="setting of PYTHONHASHSEED", cause="PYTHONHASHSEED is 7, was 0"),
    Mutation("3 loader workers", LOADED, environment={WORKERS: "3"},
             cause="loader workers is 3, was 2"),
    _kernels("numpy", "BLAS core type Nehalem", OPENBLAS_CORETYPE="Nehalem"),
    _kernels("sklearn", "BLAS core type Nehalem", OPENBLAS_CORETYPE="Nehalem"),
    _kernels("numpy", "NumPy without AVX2",
             NPY_DISABLE_CPU_FEATURES="AVX2 FMA3 AVX512F AVX512_SKX X86_V3 X86_V4"),
    _kernels("torch", "PyTorch's own kernels, none of AVX", ATEN_CPU_CAPABILITY="default"),
    _kernels("torch", "oneDNN with SSE 4.1", ONEDNN_MAX_CPU_ISA="SSE41"),
    _kernels("torch", "MKL compatible with every CPU", MKL_CBWR="COMPATIBLE"),
    _kernels("tensorflow", "oneDNN with SSE 4.1", ONEDNN_MAX_CPU_ISA="SSE41"),
    _kernels("jax", "XLA with SSE 4.2", XLA_FLAGS="--xla_cpu_max_isa=SSE4_2"),
    _flag("torch", "deterministic algorithms"),
    _flag("torch", "fill uninitialized memory"),
    _flag("jax", "threefry_partitionable"),
    _flag("jax", "default_matmul_precision"),
    _flag("tensorflow", "op determinism"),
    _flag("lightgbm", "deterministic"),
    _flag("lightgbm", "force_row_wise"),
    _type("numpy", "other type: double for the rate",
          "t.KEEP, t.RATE = np.float64(t.KEEP), np.float64(t.RATE)", "another type: w1 is f8"),
    _type("sklearn", "other type: features in single precision",
          "fit = t.linear\nt.linear = lambda told, x, y: fit(told, x.astype('f4'), y)"),
    _type("torch", "other type: double", "import torch\ntorch.set_default_dtype(torch.float64)",
          "another type: .* is f8"),
    _type("jax", "other type: double allowed",
          "import jax\njax.config.update('jax_enable_x64', True)", "enable_x64 is True"),
    _type("tensorflow", "other type: half in place of bfloat16", "t.tf.bfloat16 = t.tf.float16"),
    _type("xgboost", "other type: features in double",
          "take = t.arrays\nt.arrays = lambda told, dtype: take(told, '<f8')"),
    _type("lightgbm", "other type: features in single precision",
          "take = t.arrays\nt.arrays = lambda told, dtype: take(told, '<f4')"),
)  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """An environment with one package in another version."""

    title: str
    environment: str
    """The shipped one that it is made of."""
    replaced: tuple[str, str]
    """Text of its spec, and what takes its place."""
    training: str
    cause: str


VARIANTS: Sequence[Variant] = (
    Variant("NumPy 2.3 instead of 2.4", "sklearn-cpu", ("numpy>=2.2,<3", "numpy>=2.3,<2.4"),
            "numpy", "version numpy is 2.3"),
    Variant("scikit-learn, the minor release before", "sklearn-cpu",
            ("scikit-learn>=1.6", "scikit-learn>=1.6,<1.9"), "sklearn", "version scikit-learn is"),
    Variant("JAX, the minor release before", "jax-cpu", ("- jax\n", "- jax<0.10\n"), "jax",
            "version jax"),
    Variant("XGBoost, the minor release before", "boosting",
            ("- xgboost-cpu\n", "- xgboost-cpu<3.2\n"), "xgboost", "version xgboost is"),
    Variant("LightGBM, the minor release before", "boosting",
            ("- lightgbm\n", "- lightgbm<4.7\n"), "lightgbm", "version lightgbm is"),
)  # fmt: skip
