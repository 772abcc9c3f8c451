"""A tiny training in TensorFlow, on the GPU where there is one: Adam, workers, mixed precision.

See ``trainer`` for the rules that it keeps. Keras is left aside: it takes longer to import than all
of this, and computes with the same operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

import numpy as np
import tensorflow as tf

from .data import dyadic
from .keyed import key_seed
from .seeding import seed_framework
from .trainer import BATCH, CLASSES, COLUMNS, ROWS, Trainer, leave, workers

if TYPE_CHECKING:
    from .data import Data

HIDDEN, CHANNELS, WORDS, STEPS, MIXED, REPEATS = 256, 8, 64, 16, 4, 6
RATE, FIRST, SECOND, TINY, DROPPED = 2.0**-10, 0.875, 1 - 2.0**-10, 2.0**-20, 0.125
MIXED_RATE = 2.0**-4
Tensor = Any


def first_weights(seed: int) -> Dict[str, Tensor]:
    """Return weights that are exact in every float type; none before a norm has a bias."""
    shapes = {
        "embedding": (WORDS, COLUMNS),
        "convolution": (5, 1, CHANNELS),
        "scale of channels": (CHANNELS,),
        "shift of channels": (CHANNELS,),
        "wide": (COLUMNS * CHANNELS, HIDDEN),
        "last": (HIDDEN, CLASSES),
    }
    found = {}
    for number, (name, shape) in enumerate(shapes.items()):
        values = dyadic(seed + 10 + number, int(np.prod(shape)), bits=8, scale=10)
        exact = np.array(values, dtype=np.float32).reshape(shape)
        found[name] = tf.Variable(exact + 1 if name.startswith("scale") else exact)
    return found


def scores_of(weights: Dict[str, Tensor], x: Tensor, words: Tensor, seed: Tensor) -> Tensor:
    """Return scores (rows x classes); the gradient of the embedding is a scatter that adds."""
    cast = {name: tf.cast(values, x.dtype) for name, values in weights.items()}
    x = (x + tf.nn.embedding_lookup(cast["embedding"], words))[:, :, None]
    x = tf.nn.conv1d(x, cast["convolution"], 1, "SAME")
    mean, variance = tf.nn.moments(x, [0, 1])
    norm = cast["shift of channels"], cast["scale of channels"], TINY
    x = tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, *norm))
    x = tf.nn.gelu(tf.reshape(x, (-1, COLUMNS * CHANNELS)) @ cast["wide"])
    return tf.nn.experimental.stateless_dropout(x, DROPPED, seed) @ cast["last"]


def slopes_of(
    weights: Dict[str, Tensor], batch: Tuple[Tensor, ...], seed: Tensor, dtype: Any
) -> Tuple[Tensor, Dict[str, Tensor]]:
    """Return loss and gradients of a batch, the network computed in a type."""
    x, words, labels = batch
    with tf.GradientTape() as tape:
        scores = tf.cast(scores_of(weights, tf.cast(x, dtype), words, seed), tf.float32)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores))
    slopes = tape.gradient(loss, weights)
    return loss, {name: tf.convert_to_tensor(slope) for name, slope in slopes.items()}


def adam_settings() -> Dict[str, float]:
    """Return what Adam's kernel is given besides gradients, by its own names."""
    return {"lr": RATE, "beta1": FIRST, "beta2": SECOND, "epsilon": TINY}


@tf.function  # type: ignore[untyped-decorator]
def update(
    weights: Dict[str, Tensor], moments: Dict[str, Tensor], batch: Tuple[Tensor, ...], seed: Tensor
) -> Tuple[Tensor, Dict[str, Tensor]]:
    """Take one step of Adam by TensorFlow's own kernel; return loss and norms of the gradients."""
    loss, slopes = slopes_of(weights, batch, seed, tf.float32)
    for name, slope in slopes.items():
        tf.raw_ops.ResourceApplyAdam(
            var=weights[name].handle,
            m=moments[f"first of {name}"].handle,
            v=moments[f"second of {name}"].handle,
            beta1_power=0.0,
            beta2_power=0.0,
            grad=slope,
            **adam_settings(),
        )
    return loss, {name: tf.norm(slope) for name, slope in slopes.items()}


@tf.function  # type: ignore[untyped-decorator]
def update_mixed(weights: Dict[str, Tensor], batch: Tuple[Tensor, ...], seed: Tensor) -> Tensor:
    """Take one step of plain descent with the network in bfloat16; return the loss."""
    loss, slopes = slopes_of(weights, batch, seed, tf.bfloat16)
    for name, slope in slopes.items():
        weights[name].assign_sub(MIXED_RATE * slope)
    return loss


def loader(trainer: Trainer, data: Data) -> Iterator[Tuple[int, Tuple[Tensor, ...]]]:
    """Yield ``(step, batch)`` from a pipeline whose workers add dyadic noise to each row."""
    x = tf.constant(np.array(data.features, dtype=np.float32).reshape(ROWS, COLUMNS))
    labels, rows = (
        tf.constant(data.labels),
        [row for _, taken in trainer.batches() for row in taken],
    )
    seed = key_seed("augmentation", trainer.seed) % 2**31

    def load(row: Tensor) -> Tuple[Tensor, ...]:
        bits = tf.random.stateless_uniform((COLUMNS,), (seed, row), 0, 2, tf.int32)
        return x[row] + tf.cast(bits, tf.float32) / 16, row * 7 % WORDS, labels[row]

    loaded = tf.data.Dataset.from_tensor_slices(tf.constant(rows))
    loaded = loaded.map(load, num_parallel_calls=max(1, workers())).batch(BATCH)
    yield from enumerate(loaded, 1)


def train(trainer: Trainer, data: Data) -> None:
    """Train, telling loss, gradients and weights of every step; then on, in mixed precision."""
    weights = first_weights(trainer.seed)
    trainer.first_weights({name: values.numpy() for name, values in weights.items()})
    trainer.hyperparameters({**adam_settings(), "dropout": DROPPED})
    told = {"learning rate": MIXED_RATE, "type": tf.bfloat16.name}
    trainer.hyperparameters(told, "mixed precision")
    kinds = [(order, name) for name in weights for order in ("first", "second")]
    moments = {f"{o} of {name}": tf.Variable(tf.zeros_like(weights[name])) for o, name in kinds}
    last: Dict[str, Any] = {}
    batch: Tuple[Tensor, ...] = ()
    for step, batch in loader(trainer, data):
        if step == 1:
            trainer.fed(batch[0])
        loss, norms = update(weights, moments, batch, tf.constant([trainer.seed, step]))
        trainer.loss(step, float(loss))
        trainer.gradients(step, {name: float(norm) for name, norm in norms.items()})
        last = {name: values.numpy() for name, values in weights.items()}
        trainer.weights(step, last)
    trainer.ranges(last)
    adam = {f"Adam: {name}": values.numpy() for name, values in moments.items()}
    trainer.weights(trainer.steps, adam)
    for step in range(1, MIXED + 1):
        loss = update_mixed(weights, batch, tf.constant([trainer.seed, step]))
        trainer.loss(step, float(loss), "mixed precision: loss")
    trainer.recorder.tensor("mixed precision: wide", weights["wide"].numpy(), MIXED)


def streams(seed: int) -> List[Tuple[str, Tensor]]:
    """Return what TensorFlow's generators draw."""
    generator, pair = tf.random.Generator.from_seed(seed, alg="philox"), (seed, 0)
    drawn = {
        "Generator": generator.uniform((4096,)),
        "Generator: normal": generator.normal((4096,)),
        "stateless_uniform": tf.random.stateless_uniform((4096,), pair),
        "stateless_normal": tf.random.stateless_normal((4096,), pair),
        "uniform": tf.random.uniform((4096,)),
        "shuffle": tf.random.shuffle(tf.range(4096)),
    }
    return [(f"tf.random.{name}", values.numpy()) for name, values in drawn.items()]


def probes(x: Tensor) -> List[Tuple[str, Tensor]]:
    """Return single operations whose rounding changes with versions and kernels."""
    few = tf.constant(x[:256])
    found = {
        "exp": tf.exp(few[:64]),
        "tanh": tf.tanh(few[:64]),
        "sin": tf.sin(few[:64]),
        "log1p": tf.math.log1p(tf.abs(few[:64])),
        "sum": tf.reduce_sum(few, 0),
        "variance": tf.math.reduce_variance(few, 0),
        "logsumexp": tf.reduce_logsumexp(few, 0),
        "product": tf.matmul(few / 3, few, transpose_a=True),
        "singular values": tf.linalg.svd(few, compute_uv=False),
        "fft": tf.abs(tf.signal.rfft(few[:64])),
    }
    return [(name, values.numpy()) for name, values in found.items()]


def scatter(x: Tensor) -> List[Tensor]:
    """Return what many additions into few places give, each time that they are repeated."""
    values = tf.constant((x * np.float32(1.1)).ravel())
    where = tf.constant(np.arange(len(x.ravel())) * 31 % 64)
    return [tf.math.unsorted_segment_sum(values, where, 64).numpy() for _ in range(REPEATS)]


def versions() -> Dict[str, str]:
    """Return TensorFlow's version and those of the libraries that it was built with."""
    built = tf.sysconfig.get_build_info()
    named = {"CUDA": "cuda_version", "cuDNN": "cudnn_version"}
    found = {name: str(built[key]) for name, key in named.items() if key in built}
    return {"tensorflow": tf.__version__, "numpy": np.__version__, **found}


def main() -> None:
    """Run as ``python -m freezer_inside.tensorflow_training``."""
    trainer = Trainer("tensorflow", STEPS)
    switches = seed_framework("tensorflow", trainer.seed)
    gpus = tf.config.list_physical_devices("GPU")
    device = tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else "cpu"
    told = {"tensorflow: device": device, "tensorflow: loader workers": str(workers())}
    trainer.begin(versions(), {**switches, **told})
    trainer.streams(streams(trainer.seed))
    data = trainer.data()
    train(trainer, data)
    x = np.array(data.features, dtype=np.float32).reshape(ROWS, COLUMNS)
    trainer.probes(probes(x))
    results = scatter(x)
    trainer.probes([("scatter", results[0])])
    trainer.race("scatter", results)
    trainer.end()


if __name__ == "__main__":
    main()
    leave()
