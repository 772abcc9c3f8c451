"""What the trainings of boosted trees share: their data, and their models as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Tuple

import numpy as np

if TYPE_CHECKING:
    from .trainer import Trainer

ROUNDS, CLASSES, DEPTH = 20, 4, 5
Array = Any


def arrays(trainer: Trainer, dtype: str) -> Tuple[Array, Array]:
    """Return features (rows x columns) and labels, in the order that a seed decides."""
    data = trainer.data(CLASSES)
    rows = trainer.order()
    x = np.array(data.features, dtype=dtype).reshape(data.rows, data.columns)
    return x[rows], np.array(data.labels)[rows]


def tell_losses(trainer: Trainer, losses: List[float]) -> None:
    """Tell the loss of every round."""
    for step, loss in enumerate(losses, 1):
        trainer.loss(step, loss)
