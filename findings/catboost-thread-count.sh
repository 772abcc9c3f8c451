#!/usr/bin/env bash
# CatBoost: thread_count decides which model a classifier becomes.
#
# Versions:   catboost 1.2.10, numpy 2.4.6, pandas 3.1.1, scipy 1.17.1; CPython 3.11, Linux x86-64
# Documented: "Optimizes the speed of execution. This parameter doesn't affect results."
#             https://catboost.ai/docs/en/references/training-parameters/performance
# Behaviour:  from about 10,000 rows on, the value of the metric depends in its last bits on the
#             number of threads. For Logloss the search for leaf values (10 Newton steps with
#             leaf_estimation_backtracking=AnyImprovement, the default) compares such values, takes
#             another step, and the trees grow apart. Each number of threads repeats itself.
#             With leaf_estimation_backtracking="No" the models are the same to the bit.
#             A number of rows that is a power of two hides it: nothing is rounded.
# Output:     default:         1 thread and 2 threads differ by up to 0.51 in predict_proba
#             no backtracking: 1 thread and 2 threads are the same
# Where met:  https://github.com/catboost/catboost/issues/2804 ("inconsistant result with differect
#             thread_count setted"): results on two hosts with other numbers of CPUs
#
# Needs Python 3.11 and a Python package index. Exits 1 if the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  catboost==1.2.10 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
cd "$work"
venv/bin/python - <<'PROGRAM'
import sys

import numpy as np
from catboost import CatBoostClassifier

generator = np.random.default_rng(1)
x = generator.normal(size=(20_000, 30))
y = x @ generator.normal(size=30) + generator.normal(size=20_000) > 0


def apart(**more):
    """Return how far the probabilities of models trained with 1 and 2 threads are apart."""
    models = [
        CatBoostClassifier(
            iterations=30, random_seed=1, thread_count=threads, verbose=False,
            allow_writing_files=False, **more,
        ).fit(x, y)
        for threads in (1, 2, 1, 2)
    ]
    first, second, *again = (model.predict_proba(x) for model in models)
    assert (first == again[0]).all() and (second == again[1]).all(), "it does not repeat itself"
    return float(np.abs(first - second).max())


default, without = apart(), apart(leaf_estimation_backtracking="No")
print(f"default:         1 thread and 2 threads differ by up to {default:.2f} in predict_proba")
print(f"no backtracking: 1 thread and 2 threads {'are the same' if not without else 'differ'}")
sys.exit(0 if default > 0.01 and without == 0 else 1)
PROGRAM
