"""JAX: array programs compiled by XLA, on the CPU."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "jax"
VERSIONS = ("0.10.2",)
WITH = ("jaxlib==0.10.2", "numpy==2.4.6", "scipy==1.17.1")
ALSO = ("jaxlib",)
OLDEST = "0.4.30"
STREAMS_WITH = ("numpy==2.2.6", "scipy==1.15.3")


def _key(seed: int) -> Any:
    return jax.random.PRNGKey(seed)


def _array(value: Any) -> Any:
    return np.asarray(value)


@operation(
    "jnp.dot under jit",
    factors=("process", "call", "threads"),
    data="500 x 700 by 700 x 300, float32",
)
def product() -> Any:
    generator = np.random.default_rng(3)
    one, two = (
        generator.standard_normal((500, 700), np.float32),
        generator.standard_normal((700, 300), np.float32),
    )
    return _array(jax.jit(jnp.dot)(one, two))


@operation("jnp.sum under jit", factors=("process", "call", "threads"), data="1,000,003 float32")
def total() -> Any:
    return _array(jax.jit(jnp.sum)(np.random.default_rng(3).random(1_000_003, np.float32)))


@operation(
    "gradient of a two-layer network under jit",
    factors=("process", "call", "threads"),
    data="2048 x 64, 256 hidden units",
)
def gradient() -> Any:
    generator = np.random.default_rng(3)
    x = generator.standard_normal((2048, 64), np.float32)
    first, second = (
        generator.standard_normal((64, 256), np.float32),
        generator.standard_normal((256, 1), np.float32),
    )
    loss = lambda w: jnp.mean((jnp.tanh(x @ w[0]) @ w[1] - x[:, :1]) ** 2)  # noqa: E731
    return [_array(item) for item in jax.jit(jax.grad(loss))((first, second))]


@operation(
    "x.at[index].add under jit",
    factors=("process", "call", "threads"),
    data="200,000 values into 50",
)
def scatter() -> Any:
    generator = np.random.default_rng(3)
    index, values = (
        generator.integers(0, 50, 200_000),
        generator.standard_normal(200_000, np.float32),
    )
    return _array(jax.jit(lambda i, v: jnp.zeros(50).at[i].add(v))(index, values))


@operation("jax.random.normal", factors=("process", "version"), data="1000 numbers")
def normal(seed: int) -> Any:
    return _array(jax.random.normal(_key(seed), (1000,)))


@operation("jax.random.uniform", factors=("version",), data="1000 numbers")
def uniform(seed: int) -> Any:
    return _array(jax.random.uniform(_key(seed), (1000,)))


@operation("jax.random.truncated_normal", factors=("version",), data="1000 numbers")
def truncated(seed: int) -> Any:
    return _array(jax.random.truncated_normal(_key(seed), -1.0, 2.0, (1000,)))


@operation("jax.random.permutation", factors=("version",), data="1000 integers")
def permutation(seed: int) -> Any:
    return _array(jax.random.permutation(_key(seed), 1000))


@operation("jax.random.split", factors=("version",), data="10 keys")
def split(seed: int) -> Any:
    return _array(jax.random.split(_key(seed), 10))


@operation("jax.random.randint", factors=("version",), data="1000 integers below 100")
def randint(seed: int) -> Any:
    return _array(jax.random.randint(_key(seed), (1000,), 0, 100))


@operation("jax.random.choice", factors=("version",), data="100 of 1000")
def choice(seed: int) -> Any:
    return _array(jax.random.choice(_key(seed), 1000, (100,), replace=False))


@operation("jax.random.bernoulli", factors=("version",), data="1000 draws")
def bernoulli(seed: int) -> Any:
    return _array(jax.random.bernoulli(_key(seed), 0.3, (1000,)))


@operation("jax.random.categorical", factors=("version",), data="1000 draws of 5")
def categorical(seed: int) -> Any:
    return _array(jax.random.categorical(_key(seed), jnp.arange(5.0), shape=(1000,)))


@operation(
    "jax.random.uniform with jax_threefry_partitionable=False",
    factors=("version",),
    data="1000 numbers",
)
def old_uniform(seed: int) -> Any:
    with jax.threefry_partitionable(False):
        return _array(jax.random.uniform(_key(seed), (1000,)))
