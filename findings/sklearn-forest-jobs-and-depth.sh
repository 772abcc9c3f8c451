#!/usr/bin/env bash
# scikit-learn: a seeded forest classifier predicts the same bits in each call, until its trees are pruned.
#
# Versions:   scikit-learn 1.9.1 (numpy 2.4.6, scipy 1.17.1); CPython 3.11, Linux x86-64
# Documented: random_state: "Pass an int for reproducible output across multiple function calls"; n_jobs:
#             "fit, predict, decision_path and apply are all parallelized over the trees". Nothing is said of
#             predictions that do not repeat.
#             https://scikit-learn.org/stable/modules/generated/sklearn.ensemble.RandomForestClassifier.html
# Behaviour:  threads add the trees' probabilities in the order in which they end. Fully grown trees have pure
#             leaves: their probabilities are 0 and 1, whose sums are exact, so predict_proba repeats. With
#             max_depth (or min_samples_leaf, ccp_alpha) leaves are impure and sums are rounded: the same model
#             gives other last bits from call to call with n_jobs=4, and the same ones with n_jobs=1. A
#             regressor varies whatever its depth.
# Output:     fully grown: 40 calls, 1 result
#             max_depth=6: 40 calls, 37 results, up to 4e-16 apart
#             max_depth=6, n_jobs=1: 40 calls, 1 result
# Where met:  a test of reproducibility with default parameters passes, and the tuned model of production does
#             not repeat; a threshold or a tie between two classes then decides otherwise.
#
# Needs Python 3.11 and a Python package index. Exits 1 if the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cd "$work"
venv/bin/python - <<'PROGRAM'
import sys

import numpy as np
from sklearn.ensemble import RandomForestClassifier

draw = np.random.default_rng(1)
x = draw.standard_normal((3000, 20))
y = (x[:, 0] + x[:, 1] ** 2 + draw.standard_normal(3000) > 1).astype(int)


def results(jobs, **parameters):
    """Return the different predictions of forty calls of one model."""
    model = RandomForestClassifier(20, random_state=0, n_jobs=4, **parameters).fit(x, y)
    model.set_params(n_jobs=jobs)
    return list({found.tobytes(): found for found in (model.predict_proba(x) for _ in range(40))}.values())


grown, pruned, alone = results(4), results(4, max_depth=6), results(1, max_depth=6)
apart = max(abs(pruned[0] - other).max() for other in pruned)
print(f"fully grown: 40 calls, {len(grown)} result")
print(f"max_depth=6: 40 calls, {len(pruned)} results, up to {apart:.0e} apart")
print(f"max_depth=6, n_jobs=1: 40 calls, {len(alone)} result")
sys.exit(0 if len(grown) == len(alone) == 1 < len(pruned) else 1)
PROGRAM
