"""The faults: what a user writes, the measured row that it meets, and what stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IMAGES: Final[Mapping[str, Sequence[str]]] = {
    "estimators": (
        "numpy==2.4.6",
        "scipy==1.17.1",
        "scikit-learn==1.9.1",
        "lightgbm==4.7.0",
        "xgboost-cpu==3.2.0",
        "catboost==1.2.10",
        "optuna==5.0.0",
    ),
    "tables": ("numpy==2.4.6", "polars==2.1.0", "duckdb==2.0.1", "pyarrow==26.0.1"),
    "vectors": (
        "numpy==2.4.6",
        "scipy==1.17.1",
        "faiss-cpu==1.13.2",
        "usearch==2.26.6",
        "voyager==2.2.3",
        "chroma-hnswlib==0.7.6",
        "gensim==4.4.0",
        "implicit==0.7.3",
        "leidenalg==0.12.0",
    ),
    "torch": ("numpy==2.4.6", "torch==2.13.0+cpu"),
}
"""Name to the Python packages of an image, of the versions that the atlas measured."""
_START: Final = """
import numpy as np
from freezer_inside import seed_everything
from freezer_inside.record import Recorder

recorder = Recorder()
seed = seed_everything()
draw = np.random.default_rng(seed)
"""
_END: Final = """
recorder.tensor("result", np.ascontiguousarray(result))
recorder.end()
"""


@dataclass(frozen=True)
class Fault:
    """A training whose results are not what their author takes them for."""

    operation: str
    """The row of the atlas that must be named first."""
    package: str
    image: str
    code: str
    """What is trained, between `_START` and `_END`; it sets ``result``."""
    replaced: tuple[str, str]
    """Text of the code, and what takes its place to stop the effect."""
    by: Literal["check", "audit"] = "check"
    threads: int = 2

    @property
    def faulty(self) -> str:
        """The program with the fault."""
        return f"{_START}{self.code}{_END}"

    @property
    def mended(self) -> str:
        """The program with what stops it."""
        if self.replaced[0] not in self.code:
            raise ValueError(f"{self.operation}: {self.replaced[0]!r} is not in the code")
        return f"{_START}{self.code.replace(*self.replaced)}{_END}"


_ROWS: Final = """
x = draw.standard_normal((6000, 40))
y = x @ draw.standard_normal(40) + draw.standard_normal(6000)
"""
_FEW: Final = "x = draw.standard_normal((3000, 16)).astype('f4')\n"
_WORDS: Final = """
words = [f"w{number}" for number in range(400)]
texts = [[words[n] for n in draw.integers(0, 400, 20)] for _ in range(2000)]
"""
_GROUPS: Final = "keys, values = draw.integers(0, 500, 200_000), draw.standard_normal(200_000)\n"


def _forest(name: str, extra: str = "") -> Fault:
    method = "predict_proba" if name.endswith("Classifier") else "predict"
    target = "y > 0" if name.endswith("Classifier") else "y"
    shown = "max_depth=..., " if extra else ""
    return Fault(
        f"{name}({shown}n_jobs=...).{method}",
        "scikit-learn",
        "estimators",
        f"{_ROWS}from sklearn.ensemble import {name}\n"
        f"model = {name}(20, {extra}random_state=seed, n_jobs=2).fit(x, {target})\n"
        f"result = [model.{method}(x + 0.1) for _ in range(4)]",
        (f"[model.{method}", f"[model.set_params(n_jobs=1).{method}"),
    )


def _eigen(name: str, first: str) -> Fault:
    return Fault(
        f"scipy.sparse.linalg.{name} without v0",
        "scipy",
        "estimators",
        f"import scipy.sparse.linalg\nx = draw.standard_normal((200, 200))\n"
        f"result = scipy.sparse.linalg.{name}({first}, 6)[1]",
        (f"({first}, 6)", f"({first}, 6, v0=np.ones(200))"),
    )


ESTIMATORS: Final = (
    _forest("RandomForestRegressor"),
    _forest("ExtraTreesRegressor"),
    _forest("RandomForestClassifier", "max_depth=6, "),
    Fault(
        "KMeans.fit: cluster_centers_",
        "scikit-learn",
        "estimators",
        f"{_ROWS}from sklearn.cluster import KMeans\nfrom threadpoolctl import threadpool_limits\n"
        "with threadpool_limits(None):\n"
        "    fits = [KMeans(8, n_init=5, random_state=seed).fit(x) for _ in range(4)]\n"
        "result = [model.cluster_centers_ for model in fits]",
        ("limits(None)", "limits(1)"),
        threads=4,
    ),
    _eigen("eigsh", "x @ x.T"),
    _eigen("svds", "x"),
    Fault(
        "xgboost.train(booster='gblinear')",
        "xgboost-cpu",
        "estimators",
        f"{_ROWS}import xgboost\ngiven = {{'booster': 'gblinear', 'nthread': 2}}\n"
        "rows = xgboost.DMatrix(x, label=y)\n"
        "result = [xgboost.train(given, rows, 10).predict(rows) for _ in range(4)]",
        ("'nthread': 2", "'nthread': 2, 'updater': 'coord_descent'"),
    ),
    Fault(
        "Study.optimize(n_jobs=...) with TPESampler(seed=...)",
        "optuna",
        "estimators",
        """
import time, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
def loss(trial):
    found = [trial.suggest_float(name, -3, 3) for name in "abc"]
    time.sleep(0.001 * (trial.number % 3))
    return sum(value**2 for value in found)
study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
study.optimize(loss, n_trials=40, n_jobs=2)
result = [list(one.params.values()) for one in study.get_trials()]""",
        ("n_jobs=2", "n_jobs=1"),
    ),
    Fault(
        "lightgbm.train with a heavy-tailed target",
        "lightgbm",
        "estimators",
        """
import lightgbm
x = draw.standard_normal((20_000, 30))
y = np.sinh(x @ draw.standard_normal(30)) * np.exp(2 * draw.standard_normal(20_000))
given = {"objective": "regression", "verbose": -1}
result = lightgbm.train(given, lightgbm.Dataset(x, y), 20).predict(x)""",
        ('"verbose": -1', '"verbose": -1, "deterministic": True, "force_row_wise": True'),
        "audit",
    ),
    Fault(
        "CatBoostClassifier.fit",
        "catboost",
        "estimators",
        """
import os, catboost
x = draw.standard_normal((20_000, 30))
y = x @ draw.standard_normal(30) + draw.standard_normal(20_000) > 0
given = {"iterations": 30, "verbose": False, "allow_writing_files": False}
given["thread_count"] = int(os.environ["OMP_NUM_THREADS"])
model = catboost.CatBoostClassifier(random_seed=seed, **given).fit(x, y)
result = model.predict_proba(x)""",
        ("random_seed=seed,", "random_seed=seed, leaf_estimation_backtracking='No',"),
        "audit",
    ),
)
TABLES: Final = (
    Fault(
        "LazyFrame.group_by(...).agg(sum).collect()",
        "polars",
        "tables",
        f"{_GROUPS}import polars as pl\nframe = pl.DataFrame({{'k': keys, 'x': values}})\n"
        "sums = frame.lazy().group_by('k').agg(pl.col('x').sum()).collect().sort('k')\n"
        "result = sums['x'].to_numpy()",
        ("collect()", "collect(engine='in-memory')"),
    ),
    Fault(
        "DataFrame.group_by(...): order of the groups",
        "polars",
        "tables",
        f"{_GROUPS}import polars as pl\nframe = pl.DataFrame({{'k': keys}})\n"
        "groups = frame.group_by('k').len()\nresult = groups['k'].to_numpy()",
        ("group_by('k')", "group_by('k', maintain_order=True)"),
    ),
    Fault(
        "DataFrame.unique()",
        "polars",
        "tables",
        f"{_GROUPS}import polars as pl\nframe = pl.DataFrame({{'k': keys}})\n"
        "result = frame.unique()['k'].to_numpy()",
        ("unique()", "unique(maintain_order=True)"),
    ),
    *(
        Fault(
            operation,
            "duckdb",
            "tables",
            "import duckdb\ndb = duckdb.connect()\nnumbers = draw.standard_normal(2_000_000)\n"
            f"db.execute({table!r})\n"
            f"result = [db.execute({query!r}).fetchall() for _ in range(4)]",
            replaced,
        )
        for operation, table, query, replaced in (
            (
                "select sum(x)",
                "create table t as select column0 as x from numbers",
                "select sum(x) from t",
                ("sum(x)", "fsum(x)"),
            ),
            (
                "select avg(x)",
                "create table t as select column0 as x from numbers",
                "select avg(x) from t",
                ("avg(x)", "favg(x)"),
            ),
        )
    ),
    Fault(
        "Table.group_by(...).aggregate(sum)",
        "pyarrow",
        "tables",
        f"{_GROUPS}import pyarrow as pa\npa.set_cpu_count(4)\n"
        "parts = [pa.table({'key': k, 'value': v})\n"
        "         for k, v in zip(np.split(keys, 40), np.split(values, 40))]\n"
        "table = pa.concat_tables(parts)\n"
        "sums = [table.group_by('key').aggregate([('value', 'sum')]) for _ in range(4)]\n"
        "result = [one.sort_by('key')['value_sum'].to_numpy() for one in sums]",
        ("group_by('key')", "group_by('key', use_threads=False)"),
    ),
)
VECTORS: Final = (
    Fault(
        "IndexHNSWFlat.add",
        "faiss-cpu",
        "vectors",
        f"{_FEW}import faiss\nindex = faiss.IndexHNSWFlat(16, 16)\nindex.add(x)\n"
        "result = faiss.serialize_index(index)",
        ("index.add", "faiss.omp_set_num_threads(1)\nindex.add"),
    ),
    Fault(
        "Index.add(threads=...), search",
        "usearch",
        "vectors",
        f"{_FEW}from usearch.index import Index\nindex = Index(ndim=16)\n"
        "index.add(np.arange(len(x)), x, threads=2)\n"
        "result = np.asarray(index.search(x[:300] + 0.1, 10, threads=1).keys).astype('i8')",
        ("threads=2", "threads=1"),
    ),
    Fault(
        "Index.add_items(num_threads=...), query",
        "voyager",
        "vectors",
        f"{_FEW}import voyager\n"
        "index = voyager.Index(voyager.Space.Euclidean, 16, random_seed=1)\n"
        "index.add_items(x, num_threads=2)\n"
        "result = index.query(x[:300] + 0.1, 10, num_threads=1)[0].astype('i8')",
        ("x, num_threads=2", "x, num_threads=1"),
    ),
    Fault(
        "Index.add_items(num_threads=...), knn_query",
        "chroma-hnswlib",
        "vectors",
        f"{_FEW}import hnswlib\nindex = hnswlib.Index('l2', 16)\n"
        "index.init_index(len(x), random_seed=42)\nindex.add_items(x, num_threads=2)\n"
        "result = index.knn_query(x[:500] + 0.1, 10, num_threads=1)[0].astype('i8')",
        ("x, num_threads=2", "x, num_threads=1"),
    ),
    *(
        Fault(
            f"{name}(workers=...)",
            "gensim",
            "vectors",
            f"{_WORDS}from gensim.models import {name}\n{more}"
            f"model = {name}(texts, vector_size=16, workers=2, seed=seed, epochs=3{given})\n"
            f"result = model.{vectors}",
            ("workers=2", "workers=1"),
        )
        for name, more, given, vectors in (
            ("Word2Vec", "", "", "wv.vectors"),
            (
                "Doc2Vec",
                (
                    "from gensim.models.doc2vec import TaggedDocument\n"
                    "texts = [TaggedDocument(text, [n]) for n, text in enumerate(texts)]\n"
                ),
                "",
                "dv.vectors",
            ),
            ("FastText", "", ", bucket=1000", "wv.vectors"),
        )
    ),
    Fault(
        "BayesianPersonalizedRanking(num_threads=...).fit",
        "implicit",
        "vectors",
        """
import scipy.sparse
from implicit.bpr import BayesianPersonalizedRanking
ratings = scipy.sparse.csr_matrix((draw.random((400, 300)) < 0.1).astype('f4'))
model = BayesianPersonalizedRanking(16, iterations=5, random_state=seed, num_threads=2)
model.fit(ratings, show_progress=False)
result = model.item_factors""",
        ("num_threads=2", "num_threads=1"),
    ),
    Fault(
        "find_partition without a seed, after random.seed",
        "leidenalg",
        "vectors",
        """
import random, igraph
from leidenalg import ModularityVertexPartition, find_partition
random.seed(seed)
graph = igraph.Graph.Erdos_Renyi(n=300, m=900)
result = np.array(find_partition(graph, ModularityVertexPartition).membership)""",
        ("ModularityVertexPartition).", "ModularityVertexPartition, seed=1)."),
    ),
)
TORCH: Final = (
    Fault(
        "Tensor.index_put_(accumulate=True)",
        "torch",
        "torch",
        """
import torch
torch.use_deterministic_algorithms(False)
where = torch.from_numpy(draw.integers(0, 50, 400_000))
values = torch.from_numpy(draw.standard_normal(400_000).astype("f4"))
sums = [torch.zeros(50).index_put_((where,), values, accumulate=True) for _ in range(4)]
result = torch.stack(sums).numpy()""",
        ("algorithms(False)", "algorithms(True)"),
    ),
)
FAULTS: Final[Sequence[Fault]] = (*ESTIMATORS, *TABLES, *VECTORS, *TORCH)
