"""Tiny trainings in LightGBM: boosted trees, with rows and columns left out.

See ``trainer`` for the rules that they keep. Sums of gradients of one size are exact, so the
classification does not show what threads do; a regression with a heavy-tailed target does.
``deterministic`` and ``force_row_wise`` are those of
https://lightgbm.readthedocs.io/en/latest/Parameters.html#deterministic.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List

import lightgbm
import numpy as np

from .large import heavy_tailed
from .switches import left_out
from .trainer import Trainer, leave
from .trees import CLASSES, DEPTH, ROUNDS, arrays, tell_losses

SWITCHES = ("deterministic", "force_row_wise")
TAIL_ROWS, TAIL_COLUMNS = 4096, 16
Array = Any


def parameters(seed: int) -> Dict[str, Any]:
    """Return the parameters; no share is one, so that the generator has a part.

    What an audit leaves out is as LightGBM has it by itself.
    """
    without = left_out()
    switches = {name: f"lightgbm: {name}" not in without for name in SWITCHES}
    return {
        "objective": "multiclass",
        "num_class": CLASSES,
        "metric": "multi_logloss",
        "num_leaves": 2**DEPTH - 1,
        "learning_rate": 0.125,
        "bagging_fraction": 0.75,
        "bagging_freq": 1,
        "feature_fraction": 0.75,
        "seed": seed % 2**31,
        "num_threads": int(os.environ.get("OMP_NUM_THREADS", "1")),
        **switches,
        "verbose": -1,
    }


def tail_parameters(seed: int) -> Dict[str, Any]:
    """Return the parameters of the regression."""
    found = {**parameters(seed), "objective": "regression", "metric": "l2"}
    del found["num_class"]
    return found


def flat(node: Dict[str, Any]) -> List[float]:
    """Return the numbers of a tree in the order of its nodes: features, thresholds, leaves."""
    if "leaf_value" in node:
        return [float(node["leaf_value"])]
    own = [float(node["split_feature"]), float(node["threshold"]), float(node["split_gain"])]
    return own + flat(node["left_child"]) + flat(node["right_child"])


def tell_trees(
    trainer: Trainer, model: lightgbm.Booster, name: str = "trees", classes: int = CLASSES
) -> None:
    """Record the trees of every round."""
    trees = model.dump_model()["tree_info"]
    for step in range(1, ROUNDS + 1):
        chosen = trees[(step - 1) * classes : step * classes]
        numbers = np.array([n for tree in chosen for n in flat(tree["tree_structure"])])
        trainer.recorder.tensor(name, numbers, step, sampled=trainer.sampled(step))


def train_heavy_tailed(trainer: Trainer) -> None:
    """Train a regression with a heavy-tailed target, and record its trees and predictions."""
    chosen = tail_parameters(trainer.seed)
    trainer.hyperparameters(chosen, "heavy-tailed")
    data = heavy_tailed(trainer, TAIL_ROWS, TAIL_COLUMNS)
    trainer.fed(data.features, "heavy-tailed features")
    rows = lightgbm.Dataset(data.features, label=data.targets, params=chosen)
    model = lightgbm.train(chosen, rows, ROUNDS)
    tell_trees(trainer, model, "heavy-tailed: trees", classes=1)
    predicted = model.predict(data.features)
    trainer.recorder.tensor("heavy-tailed: predictions", predicted, ROUNDS)


def main() -> None:
    """Run as ``python -m freezer_inside.lightgbm_training``."""
    trainer = Trainer("lightgbm", ROUNDS)
    chosen = parameters(trainer.seed)
    trainer.begin({"lightgbm": lightgbm.__version__, "numpy": np.__version__}, {})
    trainer.hyperparameters(chosen)
    x, labels = arrays(trainer, "<f8")
    trainer.fed(x)
    losses: Dict[str, Dict[str, List[float]]] = {}
    rows = lightgbm.Dataset(x, label=labels, params=chosen)
    model = lightgbm.train(
        chosen,
        rows,
        ROUNDS,
        valid_sets=[rows],
        valid_names=["train"],
        callbacks=[lightgbm.record_evaluation(losses)],
    )
    tell_losses(trainer, losses["train"]["multi_logloss"])
    tell_trees(trainer, model)
    predicted = model.predict(x)
    trainer.recorder.tensor("probabilities", predicted, ROUNDS)
    trainer.recorder.tensor("importance", model.feature_importance("gain"), ROUNDS)
    trainer.ranges({"probabilities": predicted})
    trainer.race("predict", [model.predict(x) for _ in range(3)])
    train_heavy_tailed(trainer)
    trainer.end()


if __name__ == "__main__":
    main()
    leave()
