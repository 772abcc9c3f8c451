"""Seeds and switches for one's own code: ``seed_everything``, and ``worker_init`` for data loaders.

What an environment variable can set is in the image already (``determinism``); what only a
framework can switch on is in a table of its own (``switches``).
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
from importlib.util import find_spec
from typing import Callable, Dict, Optional

from .determinism import NAME, SEED
from .record import Recorder
from .switches import throw

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
    return {**throw("torch", torch), "torch: threads": str(torch.get_num_threads())}


def _jax(_seed: int) -> Told:
    import jax

    further = {name: getattr(jax.config, f"jax_{name}", None) for name in _JAX_FURTHER}
    return {**throw("jax", jax), **{f"jax: {name}": str(value) for name, value in further.items()}}


_JAX_FURTHER = ("default_prng_impl", "enable_x64")
"""What is told beside the switches, and left as it is."""


def _tensorflow(seed: int) -> Told:
    """Seed TensorFlow: https://www.tensorflow.org/api_docs/python/tf/random/set_seed."""
    import tensorflow as tf

    tf.random.set_seed(seed)
    threads = tf.config.threading
    return {
        **throw("tensorflow", tf),
        "tensorflow: threads within operations": str(threads.get_intra_op_parallelism_threads()),
        "tensorflow: operations at once": str(threads.get_inter_op_parallelism_threads()),
    }


_SEEDERS: Dict[str, Callable[[int], Told]] = {
    "numpy": _numpy,
    "torch": _torch,
    "jax": _jax,
    "tensorflow": _tensorflow,
}
