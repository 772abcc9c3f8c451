"""A tiny training in JAX, compiled by XLA: two layers, dropout, a scatter, momentum, probes.

See ``trainer`` for the rules that it keeps.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np

from .data import dyadic
from .seeding import seed_framework
from .trainer import CLASSES, COLUMNS, Trainer

HIDDEN, STEPS, WORDS, REPEATS = 256, 16, 64, 6
RATE, MOMENTUM, KEPT = 2.0**-4, 0.875, 0.75
Array = Any


def weights(seed: int) -> Dict[str, Array]:
    """Return first weights that are exact in every float type."""
    shapes = {
        "embedding": (WORDS, COLUMNS),
        "w1": (COLUMNS, HIDDEN),
        "b1": (HIDDEN,),
        "w2": (HIDDEN, HIDDEN),
        "b2": (HIDDEN,),
        "w3": (HIDDEN, CLASSES),
    }
    found = {}
    for number, (name, shape) in enumerate(shapes.items()):
        values = dyadic(seed + 10 + number, int(np.prod(shape)), bits=8, scale=10)
        found[name] = jnp.asarray(np.array(values, dtype=np.float32).reshape(shape))
    return found


def loss_of(params: Dict[str, Array], x: Array, words: Array, labels: Array, key: Array) -> Array:
    """Return the loss of a batch; the gradient of the embedding is a scatter that adds."""
    x = x + params["embedding"][words]
    hidden = jnp.tanh(x @ params["w1"] + params["b1"])
    hidden = jax.nn.gelu(hidden @ params["w2"] + params["b2"])
    kept = jax.random.bernoulli(key, KEPT, hidden.shape)
    scores = jax.nn.log_softmax((hidden * kept / KEPT) @ params["w3"])
    return -jnp.mean(scores[jnp.arange(len(labels)), labels])


@jax.jit  # type: ignore[untyped-decorator]
def update(
    params: Dict[str, Array], speed: Dict[str, Array], batch: Tuple[Array, ...], key: Array
) -> Tuple[Dict[str, Array], Dict[str, Array], Array, Dict[str, Array]]:
    """Return parameters, speeds, loss and the norms of the gradients after one step."""
    loss, slopes = jax.value_and_grad(loss_of)(params, *batch, key)
    speed = {name: MOMENTUM * speed[name] - RATE * slopes[name] for name in params}
    norms = {name: jnp.linalg.norm(slopes[name]) for name in params}
    return {name: params[name] + speed[name] for name in params}, speed, loss, norms


def train(trainer: Trainer, x: Array, labels: Array) -> None:
    """Train, telling loss, gradients and weights of every step."""
    params = weights(trainer.seed)
    trainer.first_weights({name: np.asarray(values) for name, values in params.items()})
    speed = {name: jnp.zeros_like(values) for name, values in params.items()}
    key, told = jax.random.PRNGKey(trainer.seed), {}
    for step, rows in trainer.batches():
        batch = (x[rows], np.array(rows) * 7 % WORDS, labels[rows])
        params, speed, loss, norms = update(params, speed, batch, jax.random.fold_in(key, step))
        trainer.loss(step, float(loss))
        trainer.gradients(step, {name: float(norm) for name, norm in norms.items()})
        told = {name: np.asarray(values) for name, values in params.items()}
        trainer.weights(step, told)
    trainer.ranges(told)


def streams(seed: int) -> List[Tuple[str, Array]]:
    """Return what JAX's keys draw."""
    key = jax.random.PRNGKey(seed)
    drawn = {
        "uniform": jax.random.uniform(key, (4096,)),
        "normal": jax.random.normal(key, (4096,)),
        "permutation": jax.random.permutation(key, 4096),
        "bits": jax.random.bits(key, (4096,)),
    }
    return [(f"jax.random.{name}", np.asarray(values)) for name, values in drawn.items()]


def probes(x: Array) -> List[Tuple[str, Array]]:
    """Return single operations whose rounding changes with versions and kernels."""
    few = jnp.asarray(x[:256])
    found = {
        "exp": jnp.exp(few[:64]),
        "sin": jnp.sin(few[:64]),
        "log1p": jnp.log1p(jnp.abs(few[:64])),
        "sum": few.sum(0),
        "variance": few.var(0),
        "product": (few / 3).T @ few,
        "product in bfloat16": jnp.matmul(few.astype(jnp.bfloat16).T / 3, few.astype(jnp.bfloat16)),
        "convolution": jnp.convolve(few.ravel()[:4096] / 3, few[0] / 3),
        "singular values": jnp.linalg.svd(few, compute_uv=False),
        "fft": jnp.abs(jnp.fft.rfft(few[:64])),
    }
    return [(name, np.asarray(values, dtype=np.float32)) for name, values in found.items()]


def scatter(x: Array) -> List[Array]:
    """Return what many additions into few places give, each time that they are repeated."""
    values = jnp.asarray(x.ravel() * np.float32(1.1))
    where = jnp.asarray(np.arange(len(values)) * 31 % 64)
    add = jax.jit(lambda to, values: jnp.zeros(64, jnp.float32).at[to].add(values))
    return [np.asarray(add(where, values)) for _ in range(REPEATS)]


def main() -> None:
    """Run as ``python -m freezer_inside.jax_training``."""
    trainer = Trainer("jax", STEPS)
    switches = seed_framework("jax", trainer.seed)
    device = jax.devices()[0]
    trainer.begin(
        {"jax": jax.__version__, "jaxlib": jaxlib.__version__, "numpy": np.__version__},
        {**switches, "jax: device": f"{device.platform}: {device.device_kind}"},
    )
    trainer.streams(streams(trainer.seed))
    data = trainer.data()
    x = np.array(data.features, dtype=np.float32).reshape(data.rows, data.columns)
    train(trainer, x, np.array(data.labels))
    trainer.probes(probes(x))
    results = scatter(x)
    trainer.probes([("scatter", results[0])])
    trainer.race("scatter", results)
    trainer.end()


if __name__ == "__main__":
    main()
