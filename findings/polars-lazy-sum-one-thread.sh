#!/usr/bin/env bash
# Polars: a lazy group_by sum has other last bits in each run, with one thread too.
#
# Versions:   polars 2.1.0; CPython 3.11, Linux x86-64
# Documented: group_by does not keep the order of the groups unless maintain_order=True; nothing is said
#             of the sums
#             https://docs.pola.rs/api/python/stable/reference/lazyframe/api/polars.LazyFrame.group_by.html
# Behaviour:  LazyFrame.group_by(...).agg(sum).collect() adds the values of a group in the order of a hash
#             table that is seeded by chance, so sums of floats round otherwise in each call and process,
#             whatever POLARS_MAX_THREADS. DataFrame.group_by and collect(engine="in-memory") repeat.
# Output:     collect(): 6 calls, 6 results, up to 3e-14 apart
#             collect(engine="in-memory"): 6 calls, 1 result
# Where met:  https://github.com/pola-rs/polars/issues/25163 ("group_by aggregation on sum has become
#             non-deterministic"), /25202: features that are computed again differ from those of a training
#
# Needs Python 3.11 and a Python package index. Exits 1 if the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0
cd "$work"
POLARS_MAX_THREADS=1 venv/bin/python - <<'PROGRAM'
import random
import sys

import polars as pl

generator = random.Random(3)
frame = pl.DataFrame({
    "key": [generator.randrange(500) for _ in range(200_000)],
    "value": [generator.gauss(0, 1) for _ in range(200_000)],
})
query = frame.lazy().group_by("key").agg(pl.col("value").sum())


def sums(**engine):
    """Return the sums of six calls, each sorted by key."""
    return [tuple(query.collect(**engine).sort("key")["value"]) for _ in range(6)]


default, in_memory = sums(), sums(engine="in-memory")
apart = max(abs(a - b) for other in default for a, b in zip(default[0], other))
print(f"collect(): 6 calls, {len(set(default))} results, up to {apart:.0e} apart")
print(f'collect(engine="in-memory"): 6 calls, {len(set(in_memory))} result')
sys.exit(0 if len(set(default)) > 1 == len(set(in_memory)) else 1)
PROGRAM
