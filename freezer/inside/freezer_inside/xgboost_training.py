"""Tiny trainings in XGBoost: boosted trees by histogram, and a boosted linear model.

See ``trainer`` for the rules that they keep. The linear model's own default, ``shotgun``, lets
threads update the same weights without order:
https://xgboost.readthedocs.io/en/stable/parameter.html#parameters-for-linear-booster-booster-gblinear
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List

import numpy as np
import xgboost

from .switches import left_out
from .trainer import Trainer, leave
from .trees import CLASSES, DEPTH, ROUNDS, arrays, tell_losses

SWITCHES = ("updater",)
"""Set to ``coord_descent`` for the linear model; left out, XGBoost takes ``shotgun``."""
LINEAR_ROUNDS = 8
Array = Any


def parameters(seed: int) -> Dict[str, Any]:
    """Return the parameters; no share is one, so that the generator has a part."""
    return {
        "objective": "multi:softprob",
        "num_class": CLASSES,
        "eval_metric": "mlogloss",
        "tree_method": "hist",
        "max_depth": DEPTH,
        "eta": 0.25,
        "subsample": 0.75,
        "colsample_bytree": 0.75,
        "seed": seed,
        "nthread": int(os.environ.get("OMP_NUM_THREADS", "1")),
    }


def linear_parameters(seed: int) -> Dict[str, Any]:
    """Return the parameters of the linear model; what an audit leaves out keeps its default."""
    without = left_out()
    switches = {name: "coord_descent" for name in SWITCHES if f"xgboost: {name}" not in without}
    return {
        "booster": "gblinear",
        "objective": "reg:squarederror",
        "eta": 0.25,
        "seed": seed,
        "nthread": int(os.environ.get("OMP_NUM_THREADS", "1")),
        **switches,
    }


class Rounds(xgboost.callback.TrainingCallback):  # type: ignore[misc]
    """Tells the model of every round: the leaves and thresholds of its newest trees."""

    def __init__(self, trainer: Trainer) -> None:
        super().__init__()
        self._trainer = trainer

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
        """Tell the trees of this round; return False, which is to go on."""
        trees = [json.loads(text) for text in model[epoch].get_dump(dump_format="json")]
        numbers = np.array([number for tree in trees for number in flat(tree)])
        sampled = self._trainer.sampled(epoch + 1)
        self._trainer.recorder.tensor("trees", numbers, epoch + 1, sampled=sampled)
        return False


def flat(node: Dict[str, Any]) -> List[float]:
    """Return the numbers of a tree in the order of its nodes: features, thresholds, leaves."""
    if "leaf" in node:
        return [float(node["leaf"])]
    own = [float(node["split"].lstrip("f")), float(node["split_condition"])]
    return own + [number for child in node["children"] for number in flat(child)]


def train_linear(trainer: Trainer, x: Array, labels: Array) -> None:
    """Train a linear model of the labels as numbers, and record its predictions.

    Its weights can be read as decimals only, which are rounded.
    """
    chosen = linear_parameters(trainer.seed)
    trainer.hyperparameters(chosen, "linear")
    rows = xgboost.DMatrix(x, label=labels, nthread=chosen["nthread"])
    model = xgboost.train(chosen, rows, LINEAR_ROUNDS)
    trainer.recorder.tensor("linear: predictions", model.predict(rows), LINEAR_ROUNDS)


def main() -> None:
    """Run as ``python -m freezer_inside.xgboost_training``."""
    trainer = Trainer("xgboost", ROUNDS)
    told = {name: str(value) for name, value in sorted(xgboost.build_info().items())}
    built = {f"xgboost: {name}": told[name] for name in ("USE_OPENMP", "USE_CUDA") if name in told}
    chosen = parameters(trainer.seed)
    trainer.begin({"xgboost": xgboost.__version__, "numpy": np.__version__}, built)
    trainer.hyperparameters(chosen)
    x, labels = arrays(trainer, "<f4")
    trainer.fed(x)
    rows = xgboost.DMatrix(x, label=labels, nthread=chosen["nthread"])
    losses: Dict[str, Dict[str, List[float]]] = {}
    model = xgboost.train(
        chosen,
        rows,
        ROUNDS,
        evals=[(rows, "train")],
        evals_result=losses,
        verbose_eval=False,
        callbacks=[Rounds(trainer)],
    )
    tell_losses(trainer, losses["train"]["mlogloss"])
    predicted, few = model.predict(rows), xgboost.DMatrix(x[:16])
    trainer.recorder.tensor("probabilities", predicted, ROUNDS)
    trainer.recorder.tensor("importance", model.predict(few, pred_contribs=True), ROUNDS)
    trainer.ranges({"probabilities": predicted})
    trainer.race("predict", [model.predict(rows) for _ in range(3)])
    train_linear(trainer, x, labels)
    trainer.end()


if __name__ == "__main__":
    main()
    leave()
