"""A tiny training in NumPy: embedding, normalisation, two layers, dropout, momentum, and probes.

See ``trainer`` for the rules that it keeps.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np

from .data import Data, dyadic
from .trainer import CLASSES, COLUMNS, Trainer, leave

HIDDEN, WORDS, STEPS = 256, 64, 24
RATE, MOMENTUM, KEEP = np.float32(0.05), np.float32(0.9), 0.75
Array = Any


def weights(seed: int) -> Dict[str, Array]:
    """Return first weights that are exact in single precision."""
    shapes = {
        "w1": (COLUMNS, HIDDEN),
        "b1": (HIDDEN,),
        "w2": (HIDDEN, CLASSES),
        "b2": (CLASSES,),
        "embedding": (WORDS, COLUMNS),
    }
    found = {}
    for number, (name, shape) in enumerate(shapes.items()):
        values = dyadic(seed + 10 + number, int(np.prod(shape)), bits=12, scale=14)
        found[name] = np.array(values, dtype=np.float32).reshape(shape)
    return found


def normalised(x: Array) -> Tuple[Array, Array]:
    """Return rows of mean zero and variance one, and what each was divided by."""
    apart = x - x.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.square(apart).mean(axis=1, keepdims=True) + np.float32(2.0**-20))
    return apart / spread, spread


def gradients(
    params: Dict[str, Array], x: Array, words: Array, labels: Array, mask: Array
) -> Tuple[float, Dict[str, Array]]:
    """Return loss and gradients of one batch; that of the embedding is a scatter that adds."""
    rows, spread = normalised(x + params["embedding"][words])
    raw = np.tanh(rows @ params["w1"] + params["b1"])
    hidden = raw * mask
    scores = hidden @ params["w2"] + params["b2"]
    scores -= scores.max(axis=1, keepdims=True)
    exponents = np.exp(scores)
    chances = exponents / exponents.sum(axis=1, keepdims=True)
    every = np.arange(len(labels))
    loss = float(-np.log(chances[every, labels]).mean())
    delta = chances
    delta[every, labels] -= 1
    delta /= np.float32(len(labels))
    back = (delta @ params["w2"].T) * mask * (1 - np.square(raw))
    slope = back @ params["w1"].T
    slope -= slope.mean(axis=1, keepdims=True) + rows * (slope * rows).mean(axis=1, keepdims=True)
    embedding = np.zeros_like(params["embedding"])
    np.add.at(embedding, words, slope / spread)
    return loss, {
        "w1": rows.T @ back,
        "b1": back.sum(axis=0),
        "w2": hidden.T @ delta,
        "b2": delta.sum(axis=0),
        "embedding": embedding,
    }


def train(trainer: Trainer, data: Data) -> None:
    """Train, telling loss, gradients and weights of every step."""
    x = np.array(data.features, dtype=np.float32).reshape(data.rows, data.columns)
    labels = np.array(data.labels)
    params = weights(trainer.seed)
    speed = {name: np.zeros_like(value) for name, value in params.items()}
    generator = np.random.default_rng(trainer.seed)
    trainer.first_weights(params)
    trainer.fed(x)
    trainer.hyperparameters({"learning rate": RATE, "momentum": MOMENTUM, "kept": KEEP})
    for step, rows in trainer.batches():
        drawn = generator.random((len(rows), HIDDEN), dtype=np.float32)
        mask = (drawn < KEEP).astype(np.float32) / np.float32(KEEP)
        words = np.array(rows) * 7 % WORDS
        loss, slopes = gradients(params, x[rows], words, labels[rows], mask)
        trainer.loss(step, loss)
        trainer.gradients(step, {name: float(np.linalg.norm(slopes[name])) for name in slopes})
        for name in params:
            speed[name] = MOMENTUM * speed[name] - RATE * slopes[name]
            params[name] = params[name] + speed[name]
        trainer.weights(step, params)
    trainer.ranges(params)


def streams(seed: int) -> List[Tuple[str, bytes]]:
    """Return what NumPy's generators draw."""
    new, old = np.random.default_rng, np.random.RandomState
    return [
        ("default_rng", new(seed).random(4096).tobytes()),
        ("default_rng: normal", new(seed).standard_normal(4096).tobytes()),
        ("default_rng: permutation", new(seed).permutation(4096).astype("<i8").tobytes()),
        ("RandomState", old(seed % 2**32).random_sample(4096).tobytes()),
        ("RandomState: normal", old(seed % 2**32).standard_normal(4096).tobytes()),
    ]


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
        ("eigenvalues", np.linalg.eigvalsh(square)),
        ("singular values", np.linalg.svd(wide[:256], compute_uv=False)),
        ("convolution", np.convolve(wide[:64].ravel() / 3, wide[0] / 3)),
        ("product in half precision", (x[:64] / 4).astype(np.float16) @ np.float16(x[0] / 4)),
        ("fft", np.abs(np.fft.rfft(wide[:64]))),
        ("product", (wide / 3).T @ wide),
    ]


def main() -> None:
    """Run as ``python -m freezer_inside.numpy_training``."""
    trainer = Trainer("numpy", STEPS)
    trainer.begin({"numpy": np.__version__}, {})
    trainer.streams(streams(trainer.seed))
    data = trainer.data()
    train(trainer, data)
    x = np.array(data.features, dtype=np.float32).reshape(data.rows, data.columns)
    trainer.probes(probes(x))
    trainer.end()


if __name__ == "__main__":
    main()
    leave()
