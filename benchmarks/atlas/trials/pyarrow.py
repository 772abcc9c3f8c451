"""Apache Arrow: columns in memory and in files."""

import random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.atlas.inside import operation

PACKAGE = "pyarrow"
VERSIONS = ("26.0.1",)


def _table(rows: int = 100_000) -> Any:
    generator = random.Random(3)
    return pa.table(
        {
            "key": [generator.randrange(500) for _ in range(rows)],
            "value": [generator.gauss(0, 1) for _ in range(rows)],
        }
    )


@operation("pyarrow.compute.sum", factors=("process", "call", "threads"), data="100,000 float64")
def total(threads: int) -> Any:
    pa.set_cpu_count(threads)
    return pc.sum(_table()["value"]).as_py()


@operation(
    "Table.group_by(...).aggregate(sum)",
    factors=("process", "call", "threads"),
    data="100,000 rows in 100 chunks, 500 keys; sorted by key",
    setting="group_by(use_threads=False)",
)
def grouped(threads: int, setting: bool) -> Any:
    pa.set_cpu_count(threads)
    table = pa.concat_tables([_table(5000) for _ in range(20)])
    found = table.group_by("key", use_threads=not setting).aggregate([("value", "sum")])
    return found.sort_by("key")["value_sum"].to_pylist()


@operation(
    "Table.group_by(...): order of the groups",
    factors=("process", "call", "threads"),
    data="100,000 rows in 20 chunks, 500 keys",
    setting="group_by(use_threads=False)",
)
def order(threads: int, setting: bool) -> Any:
    pa.set_cpu_count(threads)
    table = pa.concat_tables([_table(5000) for _ in range(20)])
    return table.group_by("key", use_threads=not setting).aggregate([])["key"].to_pylist()


@operation(
    "pyarrow.parquet.write_table",
    factors=("process", "call", "threads"),
    data="100,000 rows; the bytes of the file",
)
def parquet(threads: int) -> Any:
    pa.set_cpu_count(threads)
    sink = pa.BufferOutputStream()
    pq.write_table(_table(), sink)
    return sink.getvalue().to_pybytes()


@operation(
    "pyarrow.compute.unique", factors=("process", "hash seed"), data="100,000 rows, 500 values"
)
def unique() -> Any:
    return pc.unique(_table()["key"]).to_pylist()
