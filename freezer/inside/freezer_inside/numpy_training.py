"""A tiny training in NumPy: a network of two layers, with dropout and momentum, and probes.

Large enough that matrix products take the blocked and threaded kernels, small enough for a few
seconds. Every bias has a gradient of its own: one that is zero by structure turns rounding into
full steps, and would cry wolf.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Tuple

import numpy as np

from .data import Data, classification, digests, dyadic
from .determinism import SEED, in_force
from .record import Recorder

ROWS, COLUMNS, HIDDEN, CLASSES = 2048, 64, 256, 10
STEPS, EVERY = 30, 5
RATE, MOMENTUM, KEEP = np.float32(0.05), np.float32(0.9), 0.75
Array = Any


def weights(seed: int) -> Dict[str, Array]:
    """Return first weights that are exact in single precision."""
    shapes = {"w1": (COLUMNS, HIDDEN), "b1": (HIDDEN,), "w2": (HIDDEN, CLASSES), "b2": (CLASSES,)}
    found = {}
    for number, (name, shape) in enumerate(shapes.items()):
        values = dyadic(seed + 10 + number, int(np.prod(shape)), bits=12, scale=14)
        found[name] = np.array(values, dtype=np.float32).reshape(shape)
    return found


def gradients(
    params: Dict[str, Array], x: Array, labels: Array, mask: Array
) -> Tuple[float, Dict[str, Array]]:
    """Return loss and gradients of one full batch."""
    hidden = np.tanh(x @ params["w1"] + params["b1"]) * mask
    scores = hidden @ params["w2"] + params["b2"]
    scores -= scores.max(axis=1, keepdims=True)
    exponents = np.exp(scores)
    chances = exponents / exponents.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = float(-np.log(chances[rows, labels]).mean())
    delta = chances
    delta[rows, labels] -= 1
    delta /= np.float32(len(labels))
    back = (delta @ params["w2"].T) * mask * (1 - np.square(hidden / np.maximum(mask, 1)))
    return loss, {
        "w1": x.T @ back,
        "b1": back.sum(axis=0),
        "w2": hidden.T @ delta,
        "b2": delta.sum(axis=0),
    }


def train(recorder: Recorder, data: Data, seed: int) -> None:
    """Train, telling every loss, and weights and gradients every few steps."""
    x = np.array(data.features, dtype=np.float32).reshape(data.rows, data.columns)
    labels = np.array(data.labels)
    params = weights(seed)
    speed = {name: np.zeros_like(value) for name, value in params.items()}
    generator = np.random.default_rng(seed)
    for name in sorted(params):
        recorder.tensor(name, params[name], step=0)
    for step in range(1, STEPS + 1):
        drawn = generator.random((data.rows, HIDDEN), dtype=np.float32)
        mask = (drawn < KEEP).astype(np.float32) / np.float32(KEEP)
        loss, slopes = gradients(params, x, labels, mask)
        recorder.loss(step, loss)
        for name in sorted(params):
            speed[name] = MOMENTUM * speed[name] - RATE * slopes[name]
            params[name] = params[name] + speed[name]
        if step % EVERY == 0:
            for name in sorted(params):
                recorder.tensor(name, params[name], step=step)
                recorder.metric(f"gradient norm of {name}", np.linalg.norm(slopes[name]), step)


def probes(x: Array) -> List[Tuple[str, Array]]:
    """Return single operations whose rounding changes with versions, kernels and ``libm``."""
    wide = x.astype(np.float64)
    square = wide[:64, :64] @ wide[:64, :64].T + 64 * np.eye(64)
    return [
        ("exp", np.exp(x[:64])),
        ("sin", np.sin(wide[:64])),
        ("log1p", np.log1p(np.abs(wide[:64]))),
        ("power", np.power(np.abs(x[:64]) + 1, np.float32(1.7))),
        ("sum", x.sum(axis=0)),
        ("variance", x.var(axis=0)),
        ("solve", np.linalg.solve(square, wide[:64, 0])),
        ("singular values", np.linalg.svd(wide[:256], compute_uv=False)),
        ("fft", np.abs(np.fft.rfft(wide[:64]))),
        ("product", wide.T @ wide),
    ]


def main() -> None:
    """Run as ``python -m freezer_inside.numpy_training``."""
    seed = int(os.environ[SEED])
    recorder = Recorder("numpy")
    recorder.version("numpy", np.__version__)
    for name, value in sorted(in_force().items()):
        recorder.setting(name, value)
    data = classification(seed, ROWS, COLUMNS, CLASSES)
    for name, digest in digests(data):
        recorder.data(name, digest)
    recorder.random("default_rng", np.random.default_rng(seed).standard_normal(4096).tobytes())
    train(recorder, data, seed)
    for name, array in probes(np.array(data.features, dtype=np.float32).reshape(ROWS, COLUMNS)):
        recorder.tensor(f"probe: {name}", array)
    recorder.end()


if __name__ == "__main__":
    main()
