"""What is changed, one thing at a time, before a built-in training runs.

NumPy's part also runs in the test suite: ``tests/engine/e2e/check/test_mutations.py``. Code is run
with the training's module as ``t``, and ``trainer``, ``record``, ``np`` and ``os``.
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
RATE = """
if hasattr(t, "RATE"):
    t.RATE = type(t.RATE)(t.RATE * (1 + 2**-22))
elif hasattr(t, "parameters"):
    given = t.parameters
    def parameters(seed):
        found = given(seed)
        found["eta" if "eta" in found else "learning_rate"] *= 1 + 2**-22
        return found
    t.parameters = parameters
else:
    make, rate = t.MLPClassifier, 0.001 * (1 + 2**-22)
    t.MLPClassifier = lambda *given, **named: make(*given, learning_rate_init=rate, **named)
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
HALF = "mixed precision: type is float16, was bfloat16"
CPU_BUILD = "torch==2.13.0+cpu"
"""As the shipped environment names it; the index itself has builds for CUDA alone."""


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
    """A pattern that one of the named causes answers."""

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


def _type(training: str, title: str, code: str, cause: str) -> Mutation:
    return Mutation(f"other type: {title}", [training], code, cause=cause)


MUTATIONS: Sequence[Mutation] = (
    Mutation("seed", EVERY, environment={"FREEZER_SEED": "4321"}, first="random numbers",
             cause="FREEZER_SEED is 4321, was 1234"),
    Mutation("one label flipped", EVERY, LABEL, first="data 'labels'",
             cause="the data 'labels' differ"),
    Mutation("two samples swapped in the data", EVERY, SAMPLES, first="data 'features'",
             cause="the data 'features' differ"),
    Mutation("two samples swapped between batches", EVERY, ORDER, first="data 'order'",
             cause="the data 'order' differ"),
    Mutation("one bit of one first weight", NETWORKS, FIRST_WEIGHT, first="data 'first ",
             cause="the data 'first .*' differ"),
    Mutation("one bit of one last weight", EVERY, LAST_WEIGHT, first="at step",
             cause="was changed after the last step, not by training"),
    Mutation("learning rate, by 2^-22", EVERY, RATE, first="at step 1$",
             cause=r"(learning rate|learning_rate_init|eta) is \S+ = 0x"),
    Mutation("1 thread", EVERY, environment=thread_counts(1), first="at step|setting of",
             cause="OMP_NUM_THREADS is 1, was"),
    Mutation("3 threads", EVERY, environment=thread_counts(3), first="at step|setting of",
             cause="OMP_NUM_THREADS is 3, was"),
    Mutation("dropped flag: MKL_DYNAMIC", ["numpy"], environment={"MKL_DYNAMIC": "TRUE"},
             first="setting of MKL_DYNAMIC", cause="MKL_DYNAMIC is TRUE, was FALSE"),
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
    _type("numpy", "double for the rate",
          "t.KEEP, t.RATE = np.float64(t.KEEP), np.float64(t.RATE)",
          r"learning rate is \S+ = 0x\S+ \(float64\), was \S+ = 0x\S+ \(float32\)"),
    _type("sklearn", "features in single precision",
          "fit = t.linear\nt.linear = lambda told, x, y: fit(told, x.astype('f4'), y)",
          "features of linear models is float32, was float64"),
    _type("lightgbm", "features in single precision",
          "take = t.arrays\nt.arrays = lambda told, dtype: take(told, '<f4')",
          "type of features is float32, was float64"),
    _type("xgboost", "features in double",
          "take = t.arrays\nt.arrays = lambda told, dtype: take(told, '<f8')",
          "type of features is float64, was float32"),
    _type("torch", "double", "import torch\ntorch.set_default_dtype(torch.float64)",
          "type of features is float64, was float32"),
    _type("jax", "double allowed", "import jax\njax.config.update('jax_enable_x64', True)",
          "enable_x64 is True"),
    _type("torch", "half in place of bfloat16", "t.LOW = t.torch.float16", HALF),
    _type("jax", "half in place of bfloat16", "t.jnp.bfloat16 = t.jnp.float16", HALF),
    _type("tensorflow", "half in place of bfloat16", "t.tf.bfloat16 = t.tf.float16", HALF),
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
    against: str = ""
    """What takes the place of that text in the environment that it is compared with; empty: nothing
    does, and it is the shipped one."""
    large: bool = False
    """Whether it takes gigabytes to download, and more on the disk."""


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
    Variant("PyTorch, the minor release before, both built for CUDA", "torch-cpu",
            (CPU_BUILD, "torch===2.12.1"), "torch", r"version torch is 2\.12", "torch===2.13.0",
            large=True),
    Variant("PyTorch, the same release built for CUDA", "torch-cpu",
            (CPU_BUILD, "torch===2.13.0"), "torch", r"version torch is 2\.13\.0\+cu", large=True),
)  # fmt: skip
