"""A tensor as it is recorded for `expect`: its shape, and its extremes over every element."""

import math
from typing import Any, Optional, Tuple

from .recording import recorder


def record_tensor(name: str, values: Any, step: int = 0) -> None:
    """Record a tensor's shape and digest, its least and greatest finite value, what is not finite.

    ``values`` is an array of NumPy, a tensor of PyTorch, what converts to an array, or a sequence
    of numbers. The record protocol holds a sample of a large tensor only; the metrics
    ``NAME.least``, ``NAME.greatest`` and ``NAME.not-finite`` cover all of it.
    """
    writer = recorder()
    writer.tensor(name, values, step)
    least, greatest, not_finite = _extremes(values)
    writer.metric(f"{name}.not-finite", not_finite, step)
    writer.metric(f"{name}.least", math.nan if least is None else least, step)
    writer.metric(f"{name}.greatest", math.nan if greatest is None else greatest, step)


def _extremes(values: Any) -> Tuple[Optional[float], Optional[float], int]:
    if hasattr(values, "detach"):
        return _of_torch(values.detach().cpu())
    if hasattr(values, "dtype"):
        return _of_numpy(values)
    numbers = [float(value) for value in values]
    finite = [value for value in numbers if math.isfinite(value)]
    return min(finite, default=None), max(finite, default=None), len(numbers) - len(finite)


def _of_torch(values: Any) -> Tuple[Optional[float], Optional[float], int]:
    finite = values[values.isfinite()]
    missing = values.numel() - finite.numel()
    if not finite.numel():
        return None, None, missing
    return float(finite.min().item()), float(finite.max().item()), missing


def _of_numpy(values: Any) -> Tuple[Optional[float], Optional[float], int]:
    import numpy as np

    array = np.asarray(values)
    finite = array[np.isfinite(array)]
    missing = array.size - finite.size
    if not finite.size:
        return None, None, int(missing)
    return float(finite.min()), float(finite.max()), int(missing)
