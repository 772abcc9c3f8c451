"""TensorFlow: neural networks, on the CPU."""

from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.atlas.inside import operation

PACKAGE = "tensorflow-cpu"
VERSIONS = ("2.21.0",)
ALSO = ("tensorflow",)
WITH = ("numpy==2.4.6",)


def _random(*shape: int) -> Any:
    return tf.constant(np.random.default_rng(3).standard_normal(shape).astype(np.float32))


@operation(
    "tf.matmul", factors=("process", "call", "threads"), data="500 x 700 by 700 x 300, float32"
)
def product() -> Any:
    return (_random(500, 700) @ _random(700, 300)).numpy()


@operation("tf.reduce_sum", factors=("process", "call", "threads"), data="1,000,003 float32")
def total() -> Any:
    return tf.reduce_sum(_random(1_000_003)).numpy()


@operation(
    "tf.math.unsorted_segment_sum",
    factors=("process", "call", "threads"),
    data="200,000 x 16 into 50",
)
def segments() -> Any:
    index = np.random.default_rng(4).integers(0, 50, 200_000)
    return tf.math.unsorted_segment_sum(_random(200_000, 16), index, 50).numpy()


@operation(
    "tf.random.normal after tf.random.set_seed",
    factors=("process", "call"),
    data="100,000 numbers",
)
def normal(seed: int) -> Any:
    tf.random.set_seed(seed)
    return tf.random.normal((100_000,)).numpy()


@operation(
    "tf.random.stateless_uniform(seed=...)",
    factors=("process", "call"),
    data="100,000 numbers",
)
def uniform(seed: int) -> Any:
    return tf.random.stateless_uniform((100_000,), seed=(seed, 0)).numpy()


@operation(
    "tf.data.Dataset.shuffle(seed=...)",
    factors=("process", "call"),
    data="1000 integers, buffer 100",
)
def shuffled(seed: int) -> Any:
    return [int(item) for item in tf.data.Dataset.range(1000).shuffle(100, seed=seed)]


@operation(
    "tf.GradientTape: gradient of a two-layer network",
    factors=("process", "call", "threads"),
    data="2048 x 64, 256 hidden units",
)
def gradient() -> Any:
    first, second = tf.Variable(_random(64, 256)), tf.Variable(_random(256, 1))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(tf.tanh(_random(2048, 64) @ first) @ second))
    return [item.numpy() for item in tape.gradient(loss, [first, second])]
