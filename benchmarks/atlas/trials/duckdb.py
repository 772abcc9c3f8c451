"""DuckDB: an analytical database."""

from typing import Any

import duckdb

from benchmarks.atlas.inside import operation

PACKAGE = "duckdb"
VERSIONS = ("2.0.1",)
WITH = ("numpy==2.4.6",)
OLDEST = "0.10.3"
_TABLE = """create table t as
select (hash(i) % 1000003)::double / 7.0 * (1 + i % 97) as x, i % 500 as k
from range(2000000) r(i)"""


def _rows(query: str, threads: int = 1, table: bool = True) -> Any:
    connection = duckdb.connect(config={"threads": threads})
    if table:
        connection.execute(_TABLE)
    return [list(row) for row in connection.execute(query).fetchall()]


@operation(
    "select sum(x)",
    factors=("process", "call", "threads"),
    data="2 million doubles",
    setting="fsum(x)",
    note="each thread sums the row groups that it happens to take",
)
def total(threads: int, setting: bool) -> Any:
    return _rows(f"select {'fsum' if setting else 'sum'}(x) from t", threads)


@operation(
    "select avg(x)",
    factors=("process", "call", "threads"),
    data="2 million doubles",
    setting="favg(x)",
)
def mean(threads: int, setting: bool) -> Any:
    return _rows(f"select {'favg' if setting else 'avg'}(x) from t", threads)


@operation(
    "select k, sum(x) group by k order by k",
    factors=("process", "call", "threads"),
    data="2 million doubles, 500 keys",
    setting="fsum(x)",
)
def grouped(threads: int, setting: bool) -> Any:
    return _rows(
        f"select k, {'fsum' if setting else 'sum'}(x) from t group by k order by k", threads
    )


@operation(
    "select k group by k: order of the groups",
    factors=("process", "call", "threads"),
    data="2 million rows, 500 keys",
)
def order(threads: int) -> Any:
    return _rows("select k from t group by k", threads)


@operation(
    "string_agg(k) without an order",
    factors=("process", "call", "threads"),
    data="20,000 of 2 million rows",
    setting="string_agg(... order by ...)",
)
def joined(threads: int, setting: bool) -> Any:
    order = " order by i" if setting else ""
    return _rows(
        f"select md5(string_agg(i::varchar, ','{order})) from range(2000000) r(i)",
        threads,
        table=False,
    )


@operation("stddev(x)", factors=("process", "call", "threads"), data="2 million doubles")
def deviation(threads: int) -> Any:
    return _rows("select stddev(x) from t", threads)


@operation(
    "using sample reservoir(1000 rows) repeatable (seed)",
    factors=("process", "call", "threads", "version"),
    data="2 million rows, in order",
)
def reservoir(seed: int, threads: int) -> Any:
    return _rows(
        f"select i from (select * from range(200000) r(i)) "
        f"using sample reservoir(1000 rows) repeatable ({seed})",
        threads,
        table=False,
    )


@operation(
    "using sample 1% (system, seed)",
    factors=("process", "call", "threads"),
    data="2 million rows of a table; the sum of k and the count",
)
def system(seed: int, threads: int) -> Any:
    return _rows(
        f"select count(*), sum(k) from (select k from t using sample 10 percent (system, {seed}))",
        threads,
    )


@operation("setseed(...), random()", factors=("process", "version"), data="100 numbers, one thread")
def random(seed: int) -> Any:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(f"select setseed({seed / 10})")
    return [row[0] for row in connection.execute("select random() from range(100)").fetchall()]


@operation(
    "using sample 100 rows (reservoir, seed)", factors=("version",), data="100 of 20,000 rows"
)
def sampled(seed: int) -> Any:
    return _rows(
        f"select i from (select * from range(20000) r(i)) "
        f"using sample 100 rows (reservoir, {seed})",
        table=False,
    )


@operation("using sample 10 percent (bernoulli, seed)", factors=("version",), data="20,000 rows")
def bernoulli(seed: int) -> Any:
    return _rows(
        f"select i from (select * from range(20000) r(i)) "
        f"using sample 10 percent (bernoulli, {seed})",
        table=False,
    )


@operation("hash() of integers", factors=("process", "version"), data="1000 integers")
def hash_integers() -> Any:
    return _rows("select hash(i) from range(1000) r(i)", table=False)


@operation("hash() of strings", factors=("process", "version"), data="1000 strings")
def hash_strings() -> Any:
    return _rows(
        "select hash('some longer text ' || i::varchar) from range(1000) r(i)", table=False
    )


@operation("hash() of several columns", factors=("version",), data="1000 rows")
def hash_columns() -> Any:
    return _rows("select hash(i, i + 1) from range(1000) r(i)", table=False)


@operation("hash() of a struct", factors=("version",), data="1000 rows")
def hash_struct() -> Any:
    return _rows("select hash({'a': i, 'b': i::varchar}) from range(1000) r(i)", table=False)


@operation(
    "approx_count_distinct", factors=("process", "version"), data="100,000 different integers"
)
def distinct() -> Any:
    return _rows("select approx_count_distinct(i) from range(100000) r(i)", table=False)
