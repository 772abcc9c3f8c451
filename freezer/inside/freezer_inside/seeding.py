"""Seeds and switches for one's own code: ``seed_everything``, and ``worker_init`` for data loaders.

What an environment variable can set is in the image already (``determinism``). These are the
switches that only a framework has, each with its source.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
from importlib.util import find_spec
from typing import Any, Callable, Dict, Optional

from .determinism import SEED
from .record import NAME, Recorder

Told = Dict[str, str]
"""Settings by name, as they are read back after they were set."""


def seed_everything(seed: Optional[int] = None) -> int:
    """Seed every generator there is, and switch on what is deterministic; return the seed.

    Call it first of all. Without a seed the image's own is taken. It seeds Python, NumPy, PyTorch
    and TensorFlow, those that are installed. JAX has no generator of its own: give the seed to
    ``jax.random.key``. An operation of PyTorch that has no deterministic form raises from then on.
    Under ``freeze check`` it tells the record what is in force. Raises ``ValueError`` for a seed
    below zero.
    """
    seed = int(os.environ.get(SEED, "0")) if seed is None else int(seed)
    if seed < 0:
        raise ValueError(f"the seed is {seed}; it must not be below zero")
    random.seed(seed)
    told = {"seed": str(seed)}
    for name in _SEEDERS:
        if find_spec(name) is not None:
            told.update(seed_framework(name, seed))
    if NAME in os.environ and multiprocessing.parent_process() is None:
        recorder = Recorder()
        for name, value in told.items():
            recorder.setting(name, value)
    return seed


def seed_framework(name: str, seed: int) -> Told:
    """Seed one installed framework and switch on what is deterministic in it."""
    return _SEEDERS[name](seed)


def worker_init(worker: int) -> None:
    """Seed Python and NumPy in a worker of a data loader from the seed that PyTorch gave it.

    ``DataLoader(..., worker_init_fn=worker_init, generator=torch.Generator().manual_seed(seed))``:
    without it every worker inherits the same state of the other generators.
    https://docs.pytorch.org/docs/stable/notes/randomness.html#dataloader
    """
    torch = sys.modules.get("torch")
    seed = worker if torch is None else int(torch.initial_seed())
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)


def _numpy(seed: int) -> Told:
    import numpy as np

    np.random.seed(seed % 2**32)
    return {}


def _torch(seed: int) -> Told:
    import torch

    torch.manual_seed(seed)  # on every device
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    if hasattr(torch.backends, "fp32_precision"):  # PyTorch 2.9
        torch.backends.fp32_precision = "ieee"
    else:
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return torch_in_force(torch)


def torch_in_force(torch: Any) -> Told:
    """Return PyTorch's switches as it reads them back.

    https://docs.pytorch.org/docs/stable/notes/randomness.html and, for precision,
    https://docs.pytorch.org/docs/stable/notes/cuda.html#tensorfloat-32-tf32-on-ampere-and-later-devices
    """
    backends = torch.backends
    if hasattr(backends, "fp32_precision"):
        precision = {
            "matmul": backends.cuda.matmul.fp32_precision,
            "convolution": backends.cudnn.conv.fp32_precision,
        }
    else:
        words = {True: "tf32", False: "ieee"}
        precision = {
            "matmul": words[backends.cuda.matmul.allow_tf32],
            "convolution": words[backends.cudnn.allow_tf32],
        }
    return {
        "torch: deterministic algorithms": str(torch.are_deterministic_algorithms_enabled()),
        "torch: fill uninitialized memory": str(
            getattr(getattr(torch.utils, "deterministic", None), "fill_uninitialized_memory", None)
        ),
        "torch: cudnn.deterministic": str(backends.cudnn.deterministic),
        "torch: cudnn.benchmark": str(backends.cudnn.benchmark),
        **{f"torch: CUDA {what} precision": value for what, value in precision.items()},
        "torch: threads": str(torch.get_num_threads()),
    }


def _jax(_seed: int) -> Told:
    import jax

    jax.config.update("jax_default_matmul_precision", "highest")
    jax.config.update("jax_threefry_partitionable", True)
    return jax_in_force(jax)


def jax_in_force(jax: Any) -> Told:
    """Return JAX's switches as it reads them back.

    https://docs.jax.dev/en/latest/_autosummary/jax.default_matmul_precision.html and
    https://docs.jax.dev/en/latest/jax.random.html
    """
    names = (
        "default_matmul_precision",
        "threefry_partitionable",
        "default_prng_impl",
        "enable_x64",
    )
    return {f"jax: {name}": str(getattr(jax.config, f"jax_{name}", None)) for name in names}


def _tensorflow(seed: int) -> Told:
    """Seed TensorFlow. https://www.tensorflow.org/api_docs/python/tf/config/experimental/enable_op_determinism."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    return {"tensorflow: op determinism": "on"}


_SEEDERS: Dict[str, Callable[[int], Told]] = {
    "numpy": _numpy,
    "torch": _torch,
    "jax": _jax,
    "tensorflow": _tensorflow,
}
