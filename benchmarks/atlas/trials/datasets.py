"""Hugging Face Datasets: tables of examples."""

from typing import Any

import datasets

from benchmarks.atlas.inside import operation

PACKAGE = "datasets"
VERSIONS = ("5.2.0",)
WITH = ("numpy==2.4.6", "pandas==3.1.1", "pyarrow==26.0.1")
OLDEST = "2.14.7"
STREAMS_WITH = ("numpy==1.26.4", "pandas==2.2.3", "pyarrow==15.0.2")
datasets.disable_progress_bars()


def _table(rows: int = 1000) -> Any:
    return datasets.Dataset.from_dict(
        {"a": list(range(rows)), "b": [f"k{n % 7}" for n in range(rows)]}
    )


@operation(
    "Dataset.train_test_split(seed=...)",
    factors=("process", "hash seed", "version"),
    data="1000 rows; those of the test",
)
def split(seed: int) -> Any:
    return _table().train_test_split(0.2, seed=seed)["test"]["a"][:]


@operation(
    "Dataset.shuffle(seed=...)", factors=("process", "hash seed", "version"), data="1000 rows"
)
def shuffled(seed: int) -> Any:
    return _table().shuffle(seed=seed)["a"][:]


@operation(
    "interleave_datasets(probabilities=..., seed=...)",
    factors=("process", "version"),
    data="two of 200 rows",
)
def interleaved(seed: int) -> Any:
    return datasets.interleave_datasets(
        [_table(200), _table(200)], probabilities=[0.3, 0.7], seed=seed
    )["a"][:]


@operation(
    "IterableDataset.shuffle(seed=...)",
    factors=("process", "version"),
    data="1000 rows in 4 shards, buffer 100",
)
def iterable(seed: int) -> Any:
    found = _table().to_iterable_dataset(num_shards=4).shuffle(seed=seed, buffer_size=100)
    return [item["a"] for item in found]


@operation(
    "Dataset fingerprint after map(function)",
    factors=("process", "hash seed"),
    data="100 rows",
)
def fingerprint() -> Any:
    return _table(100).map(_double)._fingerprint  # noqa: SLF001 - what its cache goes by


@operation(
    "Dataset fingerprint of from_dict",
    factors=("process", "hash seed"),
    data="1000 rows",
)
def made() -> Any:
    return _table()._fingerprint  # noqa: SLF001 - what its cache goes by


def _double(item: dict[str, int]) -> dict[str, int]:
    return {"c": item["a"] * 2}
