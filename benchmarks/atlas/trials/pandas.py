"""pandas: data frames."""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.atlas.inside import operation

PACKAGE = "pandas"
VERSIONS = ("3.1.1",)
WITH = ("numpy==2.4.6", "pyarrow==26.0.1")
OLDEST = "1.5.3"
STREAMS_WITH = ("numpy==1.26.4",)


def _frame() -> Any:
    generator = np.random.default_rng(3)
    names = [f"k{n}" for n in generator.integers(0, 50, 5000)]
    return pd.DataFrame({"name": names, "value": generator.standard_normal(5000)})


@operation(
    "DataFrame.groupby(str).sum()",
    factors=("process", "hash seed", "version"),
    data="5000 rows, 50 keys",
)
def grouped() -> Any:
    found = _frame().groupby("name")["value"].sum()
    return [list(map(str, found.index)), found.to_numpy()]


@operation(
    "Series.unique() of strings", factors=("process", "hash seed"), data="5000 strings, 50 values"
)
def unique() -> Any:
    return list(map(str, _frame()["name"].unique()))


@operation(
    "Series.value_counts() of strings",
    factors=("process", "hash seed"),
    data="5000 strings, 50 values",
)
def counts() -> Any:
    return list(map(str, _frame()["name"].value_counts().index))


@operation(
    "Series(list(set(...)))",
    factors=("process", "hash seed"),
    data="50 strings",
    setting="PYTHONHASHSEED=0",
    variables={"PYTHONHASHSEED": "0"},
    note="the order of a set of strings is Python's",
)
def from_set() -> Any:
    return list(map(str, pd.Series(list({f"k{n}" for n in range(50)}))))


@operation("DataFrame.merge", factors=("process", "hash seed"), data="5000 rows with 50")
def merged() -> Any:
    right = pd.DataFrame({"name": [f"k{n}" for n in range(50)], "more": np.arange(50.0)})
    return _frame().merge(right, on="name")["more"].to_numpy()


@operation(
    "DataFrame.sample(random_state=...)",
    factors=("process", "hash seed", "version"),
    data="100 of 5000 rows",
)
def sampled(seed: int) -> Any:
    return _frame().sample(100, random_state=seed).index.to_numpy().astype(np.int64)


@operation(
    "DataFrame.sample(weights=..., random_state=...)", factors=("version",), data="100 of 5000 rows"
)
def weighted(seed: int) -> Any:
    return (
        pd.DataFrame({"a": range(5000)})
        .sample(100, weights=np.arange(1.0, 5001.0), random_state=seed)
        .index.to_numpy()
        .astype(np.int64)
    )


@operation(
    "pandas.util.hash_pandas_object of strings",
    factors=("process", "hash seed", "version"),
    data="1000 strings",
)
def hash_strings() -> Any:
    return pd.util.hash_pandas_object(pd.Series([f"k{n}" for n in range(1000)])).to_numpy()


@operation("pandas.util.hash_pandas_object of floats", factors=("version",), data="1000 float64")
def hash_floats() -> Any:
    return pd.util.hash_pandas_object(pd.Series(np.arange(1000) / 8)).to_numpy()


@operation(
    "pandas.util.hash_pandas_object of floats with nan and -0.0",
    factors=("version",),
    data="three values",
)
def hash_special() -> Any:
    return pd.util.hash_pandas_object(pd.Series([np.nan, 0.0, -0.0])).to_numpy()


@operation("pandas.util.hash_pandas_object of date_range", factors=("version",), data="100 days")
def hash_dates() -> Any:
    return pd.util.hash_pandas_object(
        pd.Series(pd.date_range("2020-01-01", periods=100))
    ).to_numpy()


@operation("pandas.util.hash_pandas_object of Int64 with NA", factors=("version",), data="4 values")
def hash_missing() -> Any:
    return pd.util.hash_pandas_object(pd.Series([1, 2, None, 4], dtype="Int64")).to_numpy()


@operation(
    "DataFrame.to_csv, read_csv: floats", factors=("process", "version"), data="5000 float64"
)
def round_trip() -> Any:
    import io

    return pd.read_csv(io.StringIO(_frame().to_csv(index=False)))["value"].to_numpy()


@operation("DataFrame.groupby.skew()", factors=("version",), data="5000 rows, 50 keys")
def skew() -> Any:
    return _frame().groupby("name")["value"].skew().to_numpy()


@operation("DataFrame.groupby.sem()", factors=("version",), data="5000 rows, 50 keys")
def sem() -> Any:
    return _frame().groupby("name")["value"].sem().to_numpy()


@operation("DataFrame.rolling(10).var()", factors=("process", "version"), data="5000 rows")
def rolling() -> Any:
    return _frame()["value"].rolling(10).var().to_numpy()
