"""Polars: data frames."""

from typing import Any

import polars as pl

from benchmarks.atlas.inside import operation

PACKAGE = "polars"
VERSIONS = ("2.1.0",)
WITH = ("numpy==2.4.6",)
OLDEST = "0.20.31"


def _frame(rows: int = 200_000) -> Any:
    import numpy as np

    generator = np.random.default_rng(3)
    return pl.DataFrame(
        {
            "key": generator.integers(0, 500, rows),
            "value": generator.standard_normal(rows),
            "name": [f"k{n}" for n in generator.integers(0, 500, rows)],
        }
    )


def _sums(frame: Any) -> Any:
    return frame.sort("key")["value"].to_numpy()


@operation(
    "DataFrame.group_by(...).agg(sum)",
    factors=("process", "call", "threads"),
    data="200,000 rows, 500 keys, float64; sorted by key",
)
def eager() -> Any:
    return _sums(_frame().group_by("key").agg(pl.col("value").sum()))


@operation(
    "LazyFrame.group_by(...).agg(sum).collect()",
    factors=("process", "call", "threads"),
    data="200,000 rows, 500 keys, float64; sorted by key",
    setting="collect(engine='in-memory')",
    note="the streaming engine adds up in the order of a hash table that is seeded by chance",
)
def lazy(setting: bool) -> Any:
    query = _frame().lazy().group_by("key").agg(pl.col("value").sum())
    return _sums(query.collect(engine="in-memory") if setting else query.collect())


@operation(
    "LazyFrame.group_by(...).agg(sum).collect(engine='streaming')",
    factors=("process", "call"),
    data="200,000 rows, 500 keys, float64; sorted by key",
    setting="group_by(maintain_order=True)",
)
def streaming(setting: bool) -> Any:
    query = _frame().lazy().group_by("key", maintain_order=setting).agg(pl.col("value").sum())
    return _sums(query.collect(engine="streaming"))


@operation(
    "DataFrame.group_by(...): order of the groups",
    factors=("process", "call"),
    data="200,000 rows, 500 keys",
    setting="group_by(maintain_order=True)",
    note="also with POLARS_MAX_THREADS=1",
)
def order(setting: bool) -> Any:
    return _frame().group_by("key", maintain_order=setting).agg(pl.len())["key"].to_numpy()


@operation(
    "Series.value_counts(): order of ties",
    factors=("process", "call"),
    data="200,000 strings, 500 values",
    setting="value_counts(sort=True).sort(by all columns)",
)
def counts(setting: bool) -> Any:
    found = _frame()["name"].value_counts()
    return (found.sort(found.columns) if setting else found)["name"].to_list()


@operation(
    "DataFrame.unique()",
    factors=("process", "call"),
    data="200,000 strings, 500 values",
    setting="unique(maintain_order=True)",
)
def unique(setting: bool) -> Any:
    return _frame().select("name").unique(maintain_order=setting)["name"].to_list()


@operation(
    "DataFrame.sample(seed=...)",
    factors=("process", "threads", "version"),
    data="1000 of 20,000 rows",
)
def sampled(seed: int) -> Any:
    return pl.DataFrame({"a": range(20_000)}).sample(1000, seed=seed)["a"].to_numpy()


@operation(
    "Series.shuffle(seed=...)", factors=("process", "threads", "version"), data="20,000 integers"
)
def shuffled(seed: int) -> Any:
    return pl.Series("a", range(20_000)).shuffle(seed=seed).to_numpy()


@operation(
    "DataFrame.join", factors=("process", "threads"), data="200,000 rows with 500; rows in order"
)
def joined() -> Any:
    right = pl.DataFrame({"key": range(500), "more": [float(n) for n in range(500)]})
    return _frame().join(right, on="key")["more"].to_numpy()


@operation(
    "Series.hash(seed=...) of integers", factors=("process", "version"), data="1000 integers"
)
def hash_integers(seed: int) -> Any:
    return pl.Series("a", range(1000)).hash(seed).to_list()


@operation("Series.hash(seed=...) of strings", factors=("process", "version"), data="1000 strings")
def hash_strings(seed: int) -> Any:
    return pl.Series("a", [f"k{n}" for n in range(1000)]).hash(seed).to_list()


@operation("Series.hash(seed=...) of floats", factors=("version",), data="1000 float64")
def hash_floats(seed: int) -> Any:
    return pl.Series("a", [n / 8 for n in range(1000)]).hash(seed).to_list()


@operation(
    "DataFrame.hash_rows(seed=...)", factors=("process", "version"), data="1000 rows of two columns"
)
def hash_rows(seed: int) -> Any:
    return (
        pl.DataFrame({"a": range(1000), "b": [f"k{n}" for n in range(1000)]})
        .hash_rows(seed)
        .to_list()
    )
