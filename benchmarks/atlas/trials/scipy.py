"""SciPy: statistics, optimisation, sparse linear algebra."""

from typing import Any

import numpy as np
import scipy.cluster.vq
import scipy.optimize
import scipy.sparse.linalg
import scipy.stats

from benchmarks.atlas.inside import operation

PACKAGE = "scipy"
VERSIONS = ("1.17.1",)
WITH = ("numpy==2.4.6",)
OLDEST = "1.9.3"
STREAMS_WITH = ("numpy==1.26.4",)


def _sparse() -> Any:
    matrix = scipy.sparse.random(
        300, 300, 0.05, random_state=np.random.RandomState(3), format="csr"
    )
    return matrix + matrix.T


@operation(
    "scipy.sparse.linalg.eigsh without v0",
    factors=("process", "call"),
    data="300 x 300, 4 eigenvectors, after numpy.random.seed(0)",
    setting="v0=numpy.ones(n)",
    note="the starting vector is drawn from a generator that numpy.random.seed does not reach",
)
def eigsh(setting: bool) -> Any:
    np.random.seed(0)
    more = {"v0": np.ones(300)} if setting else {}
    return scipy.sparse.linalg.eigsh(_sparse(), k=4, **more)[1]


@operation(
    "scipy.sparse.linalg.eigs without v0",
    factors=("process", "call"),
    data="300 x 300, 4 eigenvectors, after numpy.random.seed(0)",
    setting="v0=numpy.ones(n)",
)
def eigs(setting: bool) -> Any:
    np.random.seed(0)
    more = {"v0": np.ones(300)} if setting else {}
    return np.abs(scipy.sparse.linalg.eigs(_sparse(), k=4, **more)[1])


@operation(
    "scipy.sparse.linalg.svds without v0",
    factors=("process", "call"),
    data="300 x 300, 4 vectors, after numpy.random.seed(0)",
    setting="v0=numpy.ones(n)",
)
def svds(setting: bool) -> Any:
    np.random.seed(0)
    more = {"v0": np.ones(300)} if setting else {}
    return scipy.sparse.linalg.svds(_sparse(), k=4, **more)[0]


@operation(
    "scipy.linalg.eigh", factors=("process", "call", "blas threads"), data="400 x 400; eigenvalues"
)
def eigh() -> Any:
    import scipy.linalg

    x = np.random.default_rng(3).standard_normal((400, 400))
    return scipy.linalg.eigh(x + x.T)[0]


@operation("scipy.linalg.solve", factors=("process", "blas threads"), data="500 x 500")
def solve() -> Any:
    import scipy.linalg

    x = np.random.default_rng(3).standard_normal((500, 500))
    return scipy.linalg.solve(x, np.ones(500))


@operation(
    "scipy.optimize.minimize(method='L-BFGS-B')",
    factors=("process", "call", "blas threads", "version"),
    data="Rosenbrock's function of 20 variables, from zeros",
)
def minimize() -> Any:
    return scipy.optimize.minimize(scipy.optimize.rosen, np.zeros(20), method="L-BFGS-B").x


@operation(
    "scipy.optimize.differential_evolution(seed=...)",
    factors=("process", "version"),
    data="3 variables, 5 generations",
)
def evolution(seed: int) -> Any:
    bounds = [(-1, 1)] * 3
    return scipy.optimize.differential_evolution(
        lambda x: ((x - 0.3) ** 2).sum(), bounds, seed=seed, maxiter=5, polish=False
    ).x


@operation(
    "scipy.optimize.dual_annealing(seed=...)",
    factors=("version",),
    data="3 variables, 20 iterations",
)
def annealing(seed: int) -> Any:
    bounds = [(-1, 1)] * 3
    return scipy.optimize.dual_annealing(
        lambda x: ((x - 0.3) ** 2).sum(), bounds, seed=seed, maxiter=20, no_local_search=True
    ).x


@operation(
    "scipy.optimize.basinhopping(seed=...)", factors=("version",), data="2 variables, 5 hops"
)
def hopping(seed: int) -> Any:
    return scipy.optimize.basinhopping(
        lambda x: ((x - 0.3) ** 2).sum(), [1.0, 1.0], seed=seed, niter=5
    ).x


@operation(
    "scipy.cluster.vq.kmeans2(seed=...)",
    factors=("process", "blas threads", "version"),
    data="200 x 3, 4 clusters",
)
def kmeans(seed: int) -> Any:
    x = np.random.RandomState(1).standard_normal((200, 3))
    return scipy.cluster.vq.kmeans2(x, 4, seed=seed, minit="++")[0]


def _draw(name: str, seed: int, *shape: float) -> Any:
    return getattr(scipy.stats, name).rvs(*shape, size=200, random_state=seed)


@operation(
    "scipy.stats.norm.rvs(random_state=...)", factors=("process", "version"), data="200 numbers"
)
def norm(seed: int) -> Any:
    return _draw("norm", seed)


@operation("scipy.stats.truncnorm.rvs(random_state=...)", factors=("version",), data="200 numbers")
def truncnorm(seed: int) -> Any:
    return _draw("truncnorm", seed, -1, 2)


@operation("scipy.stats.genpareto.rvs(random_state=...)", factors=("version",), data="200 numbers")
def genpareto(seed: int) -> Any:
    return _draw("genpareto", seed, 0.1)


@operation("scipy.stats.loguniform.rvs(random_state=...)", factors=("version",), data="200 numbers")
def loguniform(seed: int) -> Any:
    return _draw("loguniform", seed, 0.1, 10)


@operation("scipy.stats.gamma.rvs(random_state=...)", factors=("version",), data="200 numbers")
def gamma(seed: int) -> Any:
    return _draw("gamma", seed, 2.5)


@operation(
    "scipy.stats.multivariate_normal.rvs(random_state=...)",
    factors=("version",),
    data="100 draws of 2",
)
def multivariate(seed: int) -> Any:
    return scipy.stats.multivariate_normal.rvs([0, 1], [[2, 0.5], [0.5, 1]], 100, random_state=seed)


@operation(
    "scipy.stats.invwishart.rvs(random_state=...)", factors=("version",), data="20 draws of 3 x 3"
)
def invwishart(seed: int) -> Any:
    return scipy.stats.invwishart.rvs(5, np.eye(3), 20, random_state=seed)


@operation(
    "scipy.stats.ortho_group.rvs(random_state=...)", factors=("version",), data="one 3 x 3 matrix"
)
def ortho_group(seed: int) -> Any:
    return scipy.stats.ortho_group.rvs(3, random_state=seed)


@operation(
    "scipy.stats.special_ortho_group.rvs(random_state=...)",
    factors=("version",),
    data="one 3 x 3 matrix",
)
def special_ortho_group(seed: int) -> Any:
    return scipy.stats.special_ortho_group.rvs(3, random_state=seed)


@operation(
    "scipy.stats.random_correlation.rvs(random_state=...)",
    factors=("version",),
    data="one 4 x 4 matrix",
)
def random_correlation(seed: int) -> Any:
    return scipy.stats.random_correlation.rvs([0.5, 0.8, 1.2, 1.5], random_state=seed)


@operation("scipy.stats.qmc.Sobol(seed=...).random", factors=("version",), data="16 points of 3")
def sobol(seed: int) -> Any:
    return scipy.stats.qmc.Sobol(3, seed=seed).random(16)


@operation("scipy.stats.qmc.Halton(seed=...).random", factors=("version",), data="16 points of 3")
def halton(seed: int) -> Any:
    return scipy.stats.qmc.Halton(3, seed=seed).random(16)


@operation(
    "scipy.stats.bootstrap(random_state=...)", factors=("version",), data="30 values, 200 resamples"
)
def bootstrap(seed: int) -> Any:
    found = scipy.stats.bootstrap((np.arange(30.0),), np.mean, random_state=seed, n_resamples=200)
    return list(map(float, found.confidence_interval))


@operation(
    "scipy.sparse.random(random_state=...)",
    factors=("process", "version"),
    data="50 x 50, density 0.1",
)
def sparse(seed: int) -> Any:
    return scipy.sparse.random(50, 50, 0.1, random_state=seed).toarray()
