"""A tiny training in JAX, compiled by XLA, on the GPU where there is one: Adam, mixed precision.

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
from .trainer import CLASSES, COLUMNS, Trainer, leave

HIDDEN, CHANNELS, STEPS, MIXED, WORDS, REPEATS = 256, 4, 16, 4, 64, 6
RATE, FIRST, SECOND, TINY, KEPT = 2.0**-10, 0.875, 1 - 2.0**-10, 2.0**-20, 0.75
MIXED_RATE = 2.0**-4
Array = Any


def weights(seed: int) -> Dict[str, Array]:
    """Return first weights that are exact in every float type; none before a norm has a bias."""
    shapes = {
        "embedding": (WORDS, COLUMNS),
        "convolution": (CHANNELS, 1, 5),
        "w1": (CHANNELS * COLUMNS, HIDDEN),
        "scale": (HIDDEN,),
        "w2": (HIDDEN, CLASSES),
        "b2": (CLASSES,),
    }
    found = {}
    for number, (name, shape) in enumerate(shapes.items()):
        values = dyadic(seed + 10 + number, int(np.prod(shape)), bits=8, scale=10)
        exact = np.array(values, dtype=np.float32).reshape(shape)
        found[name] = jnp.asarray(exact + 1 if name == "scale" else exact)
    return found


def scores_of(params: Dict[str, Array], x: Array, words: Array, key: Array, dtype: Any) -> Array:
    """Return scores (rows x classes), wide products computed in a type.

    The gradient of the embedding is a scatter that adds.
    """
    x = (x + params["embedding"][words])[:, None]
    layout = ("NCH", "OIH", "NCH")
    x = jax.lax.conv_general_dilated(
        x, params["convolution"], (1,), "SAME", dimension_numbers=layout
    )
    x = jax.nn.relu(x).reshape(len(words), -1).astype(dtype) @ params["w1"].astype(dtype)
    x = x.astype(jnp.float32)
    x = (x - x.mean(1, keepdims=True)) * jax.lax.rsqrt(x.var(1, keepdims=True) + TINY)
    hidden = jax.nn.gelu(x * params["scale"])
    kept = jax.random.bernoulli(key, KEPT, hidden.shape)
    last = (hidden * kept / KEPT).astype(dtype) @ params["w2"].astype(dtype)
    return last.astype(jnp.float32) + params["b2"]


def loss_of(params: Dict[str, Array], batch: Tuple[Array, ...], key: Array, dtype: Any) -> Array:
    """Return the loss of a batch, whose wide products are computed in a type."""
    x, words, labels = batch
    scores = jax.nn.log_softmax(scores_of(params, x, words, key, dtype))
    return -jnp.mean(scores[jnp.arange(len(labels)), labels])


@jax.jit  # type: ignore[untyped-decorator]
def update(
    params: Dict[str, Array], moments: Dict[str, Array], batch: Tuple[Array, ...], key: Array
) -> Tuple[Dict[str, Array], Dict[str, Array], Array, Dict[str, Array]]:
    """Return parameters, Adam's moments, loss and the norms of the gradients after one step."""
    loss, slopes = jax.value_and_grad(loss_of)(params, batch, key, jnp.float32)
    found, told = {}, {}
    for name, slope in slopes.items():
        first = FIRST * moments[f"first of {name}"] + (1 - FIRST) * slope
        second = SECOND * moments[f"second of {name}"] + (1 - SECOND) * slope * slope
        told.update({f"first of {name}": first, f"second of {name}": second})
        found[name] = params[name] - RATE * first / (jnp.sqrt(second) + TINY)
    return found, told, loss, {name: jnp.linalg.norm(slope) for name, slope in slopes.items()}


@jax.jit  # type: ignore[untyped-decorator]
def update_mixed(
    params: Dict[str, Array], batch: Tuple[Array, ...], key: Array
) -> Tuple[Dict[str, Array], Array]:
    """Return parameters and loss after one step of plain descent, its products in bfloat16."""
    loss, slopes = jax.value_and_grad(loss_of)(params, batch, key, jnp.bfloat16)
    return {name: params[name] - MIXED_RATE * slopes[name] for name in params}, loss


def hyperparameters() -> Dict[str, Any]:
    """Return what the two compiled steps compute with, by name."""
    return {
        "learning rate": RATE,
        "beta1": FIRST,
        "beta2": SECOND,
        "epsilon": TINY,
        "kept": KEPT,
        "mixed precision: learning rate": MIXED_RATE,
        "mixed precision: type": jnp.dtype(jnp.bfloat16).name,
    }


def train(trainer: Trainer, x: Array, labels: Array) -> None:
    """Train, telling loss, gradients and weights of every step; then on, in mixed precision."""
    params = weights(trainer.seed)
    trainer.first_weights({name: np.asarray(values) for name, values in params.items()})
    trainer.fed(x)
    trainer.hyperparameters(hyperparameters())
    kinds = [f"{order} of {name}" for name in params for order in ("first", "second")]
    moments = {kind: jnp.zeros_like(params[kind.split()[-1]]) for kind in kinds}
    key, told = jax.random.PRNGKey(trainer.seed), {}
    batch: Tuple[Array, ...] = ()
    for step, rows in trainer.batches():
        batch = (x[rows], np.array(rows) * 7 % WORDS, labels[rows])
        params, moments, loss, norms = update(params, moments, batch, jax.random.fold_in(key, step))
        trainer.loss(step, float(loss))
        trainer.gradients(step, {name: float(norm) for name, norm in norms.items()})
        told = {name: np.asarray(values) for name, values in params.items()}
        trainer.weights(step, told)
    trainer.ranges(told)
    trainer.weights(trainer.steps, {f"Adam: {kind}": np.asarray(moments[kind]) for kind in kinds})
    for step in range(1, MIXED + 1):
        params, loss = update_mixed(params, batch, jax.random.fold_in(key, step))
        trainer.loss(step, float(loss), "mixed precision: loss")
    trainer.recorder.tensor("mixed precision: w1", np.asarray(params["w1"]), MIXED)


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
    leave()
