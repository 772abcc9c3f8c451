"""NumPy: arrays, random numbers and linear algebra."""

from typing import Any

import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "numpy"
VERSIONS = ("2.4.6",)
OLDEST = "1.23.2"
COUNT = 1000


def _matrix(rows: int, columns: int) -> Any:
    return np.random.default_rng(7).standard_normal((rows, columns))


@operation(
    "A @ B", factors=("process", "call", "blas threads"), data="float64, 300 x 700 by 700 x 200"
)
def product() -> Any:
    return _matrix(300, 700) @ _matrix(700, 200)


@operation("numpy.linalg.svd", factors=("process", "call", "blas threads"), data="600 x 300")
def svd() -> Any:
    return np.linalg.svd(_matrix(600, 300), full_matrices=False)[1]


@operation("numpy.linalg.lstsq", factors=("process", "call", "blas threads"), data="2000 x 60")
def least_squares() -> Any:
    x = _matrix(2000, 60)
    return np.linalg.lstsq(x, x[:, 0] + 1, rcond=None)[0]


@operation("numpy.linalg.inv", factors=("process", "call", "blas threads"), data="400 x 400")
def inverse() -> Any:
    return np.linalg.inv(_matrix(400, 400))


@operation("numpy.sum", factors=("process", "call"), data="1,000,003 float32")
def total() -> Any:
    return np.random.default_rng(7).random(1_000_003, dtype=np.float32).sum()


@operation(
    "Generator.normal(size=...)", factors=("process", "hash seed", "version"), data="1000 numbers"
)
def normal(seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=COUNT)


@operation("Generator.random", factors=("version",), data="1000 numbers")
def uniform(seed: int) -> Any:
    return np.random.default_rng(seed).random(COUNT)


@operation("Generator.integers", factors=("version",), data="1000 numbers below 100")
def integers(seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 100, COUNT)


@operation("Generator.choice(replace=False)", factors=("version",), data="100 of 1000")
def choice(seed: int) -> Any:
    return np.random.default_rng(seed).choice(COUNT, 100, replace=False)


@operation("Generator.shuffle", factors=("version",), data="1000 integers")
def shuffle(seed: int) -> Any:
    values = np.arange(COUNT)
    np.random.default_rng(seed).shuffle(values)
    return values


@operation("Generator.permutation", factors=("version",), data="1000 integers")
def permutation(seed: int) -> Any:
    return np.random.default_rng(seed).permutation(COUNT)


@operation("Generator.multinomial", factors=("version",), data="100 draws of 50")
def multinomial(seed: int) -> Any:
    return np.random.default_rng(seed).multinomial(50, [0.2, 0.3, 0.5], 100)


@operation("Generator.gamma", factors=("version",), data="1000 numbers, shape 2.5")
def gamma(seed: int) -> Any:
    return np.random.default_rng(seed).gamma(2.5, 1.0, COUNT)


@operation("Generator.wald", factors=("version",), data="1000 numbers, mean 1, scale 2")
def wald(seed: int) -> Any:
    return np.random.default_rng(seed).wald(1, 2, COUNT)


@operation("Generator.dirichlet", factors=("version",), data="100 draws")
def dirichlet(seed: int) -> Any:
    return np.random.default_rng(seed).dirichlet([0.5, 1, 2], 100)


@operation("Generator.binomial", factors=("version",), data="1000 numbers, n 20")
def binomial(seed: int) -> Any:
    return np.random.default_rng(seed).binomial(20, 0.3, COUNT)


@operation("RandomState.normal(size=...)", factors=("version",), data="1000 numbers")
def legacy_normal(seed: int) -> Any:
    return np.random.RandomState(seed).normal(size=COUNT)


@operation("RandomState.permutation", factors=("version",), data="1000 integers")
def legacy_permutation(seed: int) -> Any:
    return np.random.RandomState(seed).permutation(COUNT)


@operation("RandomState.choice(replace=False)", factors=("version",), data="100 of 1000")
def legacy_choice(seed: int) -> Any:
    return np.random.RandomState(seed).choice(COUNT, 100, replace=False)


@operation("RandomState.wald", factors=("version",), data="1000 numbers, mean 1, scale 2")
def legacy_wald(seed: int) -> Any:
    return np.random.RandomState(seed).wald(1, 2, COUNT)
