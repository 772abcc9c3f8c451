"""Hyperparameters as they are in force: read back from what holds them, each as text.

Floats are told in hexadecimal, to the last bit, and every number that is not Python's own whole one
with its type: 0.05 in single precision is another learning rate than in double.
"""

from __future__ import annotations

import hashlib
import json
from typing import AbstractSet, Any, Dict, Iterator, Mapping, Tuple

_LONGEST = 400
"""Characters of a value; what is longer is told by its digest."""
_PLAIN = {"lr": "learning rate", "learning_rate": "learning rate"}
_NOT_SET = frozenset(["params", "param_names", "learner_model_param", "gbtree_model_param"])
"""What lies beside them and is learnt, or what is learning."""


def read(source: Any) -> Dict[str, str]:
    """Return hyperparameters by name, as text.

    ``source`` is a mapping; an optimiser of PyTorch (its ``param_groups``) or of Keras
    (``get_config``); an estimator with scikit-learn's ``get_params``; or a booster of XGBoost
    (``save_config``) or LightGBM (``params``). Raises ``TypeError`` for anything else.
    """
    told = {_PLAIN.get(name, name): _short(text(value)) for name, value in _held(source)}
    return dict(sorted(told.items()))


def text(value: Any) -> str:
    """Return a value as text that is the same in every process: no address is in it."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _array(value)
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(text, value))})"
    if isinstance(value, Mapping):
        value = {f"{key}: {text(one)}" for key, one in value.items()}
    if isinstance(value, AbstractSet):
        return f"{{{', '.join(sorted(map(text, value)))}}}"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value.hex()} (float)"
    if isinstance(value, complex):
        return f"{value.real.hex()} {value.imag.hex()}j (complex)"
    if isinstance(value, (bytes, bytearray)):
        return f"{type(value).__name__} {len(value)}, sha256 {hashlib.sha256(value).hexdigest()}"
    if value is None or isinstance(value, (bool, int, str)):
        return str(value)
    return _named(value if hasattr(value, "__qualname__") else type(value))


def _named(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def type_name(dtype: Any) -> str:
    """Return the name of a type of numbers, such as ``float32``, in whatever framework."""
    return str(getattr(dtype, "name", None) or str(dtype).rpartition(".")[2])


def _array(value: Any) -> str:
    """Return a scalar of NumPy or a tensor of one element by value, others by digest."""
    kind = type_name(value.dtype)
    shape = "x".join(map(str, value.shape))
    try:
        value = _of_numpy(value, kind)
        if all(length == 1 for length in value.shape):
            number = value.item()
            return f"{number.hex() if isinstance(number, float) else number} ({kind})"
        return f"{kind} {shape}, sha256 {hashlib.sha256(value.tobytes()).hexdigest()}"
    except (AttributeError, RuntimeError, TypeError, ValueError):
        # No numbers, such as a key of JAX's generators: that it is one is what can be told.
        return f"{kind} {shape}".strip()


def _of_numpy(value: Any, kind: str) -> Any:
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # NumPy has none of PyTorch's short types; a longer one holds each of their values.
        return (value.float() if kind.startswith(("bfloat", "float8")) else value).numpy()
    if hasattr(value, "numpy"):  # TensorFlow's tensors and Keras's variables
        return value.numpy()
    return value


def _short(told: str) -> str:
    return told if len(told) <= _LONGEST else f"sha256 {hashlib.sha256(told.encode()).hexdigest()}"


def _held(source: Any) -> Iterator[Tuple[str, Any]]:
    """Yield names and values of what an object holds, its class first."""
    if not isinstance(source, Mapping):
        yield "class", type(source)
    if isinstance(source, Mapping):
        yield from ((str(name), value) for name, value in source.items())
    elif hasattr(source, "param_groups"):
        yield from _groups(source.param_groups)
    elif hasattr(source, "save_config"):
        yield from _leaves(json.loads(source.save_config())["learner"])
    elif hasattr(source, "model_to_string"):
        yield from source.params.items()
    elif hasattr(source, "get_params"):
        yield from source.get_params().items()
    elif hasattr(source, "get_config"):
        yield from _leaves(source.get_config())
    else:
        raise TypeError(
            f"hyperparameters cannot be read back from {_named(type(source))}; "
            "give them by name: {'learning rate': rate}"
        )


def _groups(groups: Any) -> Iterator[Tuple[str, Any]]:
    for number, group in enumerate(groups):
        prefix = f"group {number}: " if len(groups) > 1 else ""
        for name, value in group.items():
            if name not in _NOT_SET:
                yield prefix + _PLAIN.get(name, name), value


def _leaves(config: Mapping[str, Any], within: str = "") -> Iterator[Tuple[str, Any]]:
    """Yield what lies in nested mappings, by its name after those of what it lies in."""
    for name, value in config.items():
        if name in _NOT_SET:
            continue
        path = within + _PLAIN.get(name, name)
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}: ")
        else:
            yield path, value
