"""Switches that only a framework has: one table, each row with its source, set and read back.

What an environment variable can set is in every image already (``determinism``).
"""

from __future__ import annotations

import os
import re
from typing import Any, Callable, Dict, NamedTuple, Tuple

from .kernels import gpus

WITHOUT = "FREEZER_WITHOUT"
"""Names of switches that are left as the framework has them, with commas between: for audits."""
XLA_FLAGS, XLA_ORDERED = "XLA_FLAGS", "--xla_gpu_deterministic_ops=true"
_WRONG_SCATTER = ("0.5.3",)
"""Releases of jaxlib that index wrongly when told so: https://github.com/jax-ml/jax/issues/27796."""
_RANDOMNESS = "https://docs.pytorch.org/docs/stable/notes/randomness.html"
_TF_DETERMINISM = (
    "https://www.tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism"
)


class Switch(NamedTuple):
    """One switch of a framework; the framework's module is what its functions are given."""

    framework: str
    name: str
    value: str
    """What it reads when it is set."""
    why: str
    source: str
    set: Callable[[Any], None]
    read: Callable[[Any], str]
    gpu: bool = False
    """Whether it concerns GPUs only."""

    @property
    def title(self) -> str:
        """Return the name under which a record has it: ``torch: deterministic algorithms``."""
        return f"{self.framework}: {self.name}"


def _torch_deterministic(torch: Any) -> None:
    torch.use_deterministic_algorithms(True)


def _torch_fill(torch: Any) -> None:
    if hasattr(torch.utils, "deterministic"):  # PyTorch 2.2
        torch.utils.deterministic.fill_uninitialized_memory = True


def _torch_filled(torch: Any) -> str:
    return str(getattr(getattr(torch.utils, "deterministic", None), _FILL, None))


_FILL = "fill_uninitialized_memory"


def _cudnn(name: str, value: bool) -> Callable[[Any], None]:
    return lambda torch: setattr(torch.backends.cudnn, name, value)


def _torch_precision(torch: Any) -> None:
    if hasattr(torch.backends, "fp32_precision"):  # PyTorch 2.9
        backends = torch.backends
        backends.fp32_precision = "ieee"
        # Until PyTorch 2.12 these two stay at TF32, whatever is set above them.
        backends.cudnn.conv.fp32_precision = backends.cudnn.rnn.fp32_precision = "ieee"
    else:
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False


def _torch_precise(torch: Any) -> str:
    backends = torch.backends
    if hasattr(backends, "fp32_precision"):
        cudnn = backends.cudnn
        places = (backends.cuda.matmul, cudnn.conv, cudnn.rnn)
        found = {place.fp32_precision for place in places}
    else:
        words = {True: "tf32", False: "ieee"}
        found = {words[backends.cuda.matmul.allow_tf32], words[backends.cudnn.allow_tf32]}
    return " and ".join(sorted(found))


def _jax(name: str, value: Any) -> Callable[[Any], None]:
    return lambda jax: jax.config.update(f"jax_{name}", value)


def _jax_read(name: str) -> Callable[[Any], str]:
    return lambda jax: str(getattr(jax.config, f"jax_{name}", None))


def _xla_ordered(_jax: Any) -> None:
    """Tell XLA before it is first used; a flag that a user gave stands."""
    import jaxlib

    flags = os.environ.get(XLA_FLAGS, "")
    told = re.search(r"--xla_gpu_deterministic_ops\b", flags)
    if gpus() and not told and jaxlib.__version__ not in _WRONG_SCATTER:
        os.environ[XLA_FLAGS] = f"{flags} {XLA_ORDERED}".strip()


def _xla_is_ordered(_jax: Any) -> str:
    found = re.search(r"--xla_gpu_deterministic_ops(?:=(\w+))?", os.environ.get(XLA_FLAGS, ""))
    return (found[1] or "true") if found else "false"


def _tensorflow_deterministic(tensorflow: Any) -> None:
    tensorflow.config.experimental.enable_op_determinism()


def _tensorflow_precise(tensorflow: Any) -> None:
    tensorflow.config.experimental.enable_tensor_float_32_execution(False)


SWITCHES: Tuple[Switch, ...] = (
    Switch(
        "torch", "deterministic algorithms", "True",
        "operations that add in no fixed order take another way, or raise where there is none",
        "https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html",
        _torch_deterministic, lambda torch: str(torch.are_deterministic_algorithms_enabled()),
    ),
    Switch(
        "torch", "fill uninitialized memory", "True",
        "what reads memory before it was written reads the same each time",
        "https://docs.pytorch.org/docs/stable/deterministic.html", _torch_fill, _torch_filled,
    ),
    Switch(
        "torch", "cudnn.deterministic", "True",
        "cuDNN takes algorithms that add in a fixed order", _RANDOMNESS,
        _cudnn("deterministic", True), lambda torch: str(torch.backends.cudnn.deterministic), True,
    ),
    Switch(
        "torch", "cudnn.benchmark", "False",
        "cuDNN does not take whichever algorithm is the fastest this time", _RANDOMNESS,
        _cudnn("benchmark", False), lambda torch: str(torch.backends.cudnn.benchmark), True,
    ),
    Switch(
        "torch", "float32 precision on CUDA", "ieee",
        "products and convolutions are not rounded to TF32",
        "https://docs.pytorch.org/docs/stable/notes/cuda.html"
        "#tensorfloat-32-tf32-on-ampere-and-later-devices",
        _torch_precision, _torch_precise, True,
    ),
    Switch(
        "jax", "default_matmul_precision", "highest",
        "products are not rounded to TF32 or bfloat16",
        "https://docs.jax.dev/en/latest/_autosummary/jax.default_matmul_precision.html",
        _jax("default_matmul_precision", "highest"), _jax_read("default_matmul_precision"),
    ),
    Switch(
        "jax", "threefry_partitionable", "True",
        "random numbers do not depend on how an array is spread over devices",
        "https://docs.jax.dev/en/latest/jax.random.html",
        _jax("threefry_partitionable", True), _jax_read("threefry_partitionable"),
    ),
    Switch(
        "jax", "xla_gpu_deterministic_ops", "true",
        "on a GPU a scatter adds in a fixed order; slow, and only set where there is a GPU",
        "https://github.com/openxla/xla/issues/17844", _xla_ordered, _xla_is_ordered, True,
    ),
    Switch(
        "tensorflow", "op determinism", "True",
        "operations add in a fixed order, or raise; tf.data keeps the order of its elements",
        _TF_DETERMINISM, _tensorflow_deterministic,
        lambda tensorflow: str(_tensorflow_is_deterministic(tensorflow)),
    ),
    Switch(
        "tensorflow", "TF32", "False", "products and convolutions are not rounded to TF32",
        "https://www.tensorflow.org/api_docs/python/tf/config/experimental/"
        "enable_tensor_float_32_execution",
        _tensorflow_precise,
        lambda tensorflow: str(
            tensorflow.config.experimental.tensor_float_32_execution_enabled()
        ),
        True,
    ),
)  # fmt: skip


def _tensorflow_is_deterministic(_tensorflow: Any) -> bool:
    """Ask where TensorFlow itself asks: its public interface can only switch it on."""
    from tensorflow.python.framework import config

    return bool(config.is_op_determinism_enabled())


def left_out() -> "frozenset[str]":
    """Return the titles of what an audit wants left as the framework has it."""
    return frozenset(name for name in os.environ.get(WITHOUT, "").split(",") if name)


def throw(framework: str, module: Any) -> Dict[str, str]:
    """Set the switches of a framework, but for those left out; return all as they read back."""
    rows = [row for row in SWITCHES if row.framework == framework]
    without = left_out()
    for row in rows:
        if row.title not in without:
            row.set(module)
    return {row.title: row.read(module) for row in rows}
