"""A tiny training in CatBoost: boosted symmetric trees over numbers and categories.

See ``trainer`` for the rules that it keeps. Its data have more rows than those of other trainings:
from about 10,000 rows on, CatBoost's metric is a sum over as many parts as there are threads, and
its search for leaf values compares metrics. A power of two would hide that: weights of one in a
power of two are added without rounding.
"""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any, Dict, List

import catboost
import numpy as np

from .data import classification, digests
from .switches import left_out
from .trainer import Trainer, leave
from .trees import DEPTH, ROUNDS, tell_losses

SWITCHES = ("leaf_estimation_backtracking",)
"""Parameters that are set to ``No``; left out, CatBoost searches:
https://catboost.ai/docs/en/references/training-parameters/common"""
ROWS, COLUMNS, CATEGORICAL, CLASSES = 12288, 32, 2, 2
Array = Any


def parameters(seed: int) -> Dict[str, Any]:
    """Return the parameters; no share is one, so that the random generator takes part.

    What an audit leaves out keeps CatBoost's own default.
    """
    without = left_out()
    switches = {name: "No" for name in SWITCHES if f"catboost: {name}" not in without}
    return {
        "loss_function": "Logloss",
        "iterations": ROUNDS,
        "depth": DEPTH,
        "learning_rate": 0.5,
        "bootstrap_type": "Bernoulli",
        "subsample": 0.75,
        "rsm": 0.75,
        "random_seed": seed % 2**31,
        "thread_count": int(os.environ.get("OMP_NUM_THREADS", "1")),
        **switches,
        "allow_writing_files": False,
        "verbose": False,
    }


def pool(trainer: Trainer) -> Any:
    """Return the training data, with the first columns as categories; record their digests."""
    data = classification(trainer.seed, ROWS, COLUMNS, CLASSES)
    for name, digest in digests(data):
        trainer.recorder.data(name, digest)
    features = np.array(data.features, dtype="<f4").reshape(ROWS, COLUMNS)
    trainer.fed(features)
    categories = [[b"%d" % int(4 * value) for value in row[:CATEGORICAL]] for row in features]
    held = catboost.FeaturesData(
        num_feature_data=np.ascontiguousarray(features[:, CATEGORICAL:]),
        cat_feature_data=np.array(categories, dtype=object),
    )
    return catboost.Pool(held, data.labels)


def splits(model: Any) -> List[List[Any]]:
    """Return the splits of each tree, and nothing else of the file, which holds the time of day."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.json")
        model.save_model(path, format="json")
        with open(path, encoding="utf-8") as stream:
            return [tree["splits"] for tree in json.load(stream)["oblivious_trees"]]


def tell_trees(trainer: Trainer, model: Any) -> None:
    """Record the tree of every round: its splits as text, the values of its leaves as numbers."""
    leaves = np.split(model.get_leaf_values(), np.cumsum(model.get_tree_leaf_counts())[:-1])
    chosen = splits(model)
    for step, values in enumerate(leaves, 1):
        text = json.dumps(chosen[step - 1], sort_keys=True).encode()
        trainer.recorder.tensor("splits", text, step, sampled=False)
        trainer.recorder.tensor("trees", values, step, sampled=trainer.sampled(step))


def main() -> None:
    """Run as ``python -m freezer_inside.catboost_training``."""
    trainer = Trainer("catboost", ROUNDS)
    chosen = parameters(trainer.seed)
    trainer.begin({"catboost": catboost.__version__, "numpy": np.__version__}, {})
    rows = pool(trainer)
    model = catboost.CatBoostClassifier(**chosen).fit(rows)
    trainer.hyperparameters({**model.get_all_params(), "thread_count": chosen["thread_count"]})
    tell_losses(trainer, model.get_evals_result()["learn"]["Logloss"])
    tell_trees(trainer, model)
    threads = chosen["thread_count"]
    predicted = model.predict_proba(rows, thread_count=threads)
    trainer.recorder.tensor("probabilities", predicted, ROUNDS)
    trainer.recorder.tensor("importance", model.get_feature_importance(), ROUNDS)
    trainer.ranges({"probabilities": predicted})
    trainer.race("predict", [model.predict_proba(rows, thread_count=threads) for _ in range(3)])
    trainer.end()


if __name__ == "__main__":
    main()
    leave()
