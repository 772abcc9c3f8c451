"""One line each: parameters, preprocessing, filters, optimisers and schedules, recorded.

They are reported by the record protocol, as ``freezer_inside.record.Recorder`` writes it, and
become ``params.*`` and ``metrics.*`` of the run.
"""

from importlib import import_module
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Tuple

_counts: Dict[str, int] = {}
_MOST_STEPS = 1_000_000
_RUNTIMES = ("freezer_inside", "freezer.inside.freezer_inside")
"""In an image, and where Freezer itself is installed."""
_STATE = frozenset([
    "last_epoch", "_step_count", "_last_lr", "_get_lr_called_within_step", "_is_initial",
    "optimizer", "best", "num_bad_epochs", "cooldown_counter",
])  # fmt: skip
"""What a scheduler of PyTorch holds besides its parameters: how far it is."""


def recorder() -> Any:
    """Return a recorder of the image's runtime."""
    for name in _RUNTIMES:
        try:
            return import_module(f"{name}.record").Recorder()
        except ImportError:
            continue
    raise ImportError("freezer_inside is not installed here: run this by `freeze run`")


def record_params(values: Optional[Mapping[str, Any]] = None, /, **more: Any) -> None:
    """Record parameters by name: ``record_params(batch_size=32, optimizer="adam")``."""
    _settings("", {**(values or {}), **more})


def record_preprocessing(step: str, /, **parameters: Any) -> None:
    """Record the next step of preprocessing: ``record_preprocessing("resize", size=(28, 28))``."""
    _step("preprocessing", step, parameters)


def record_filter(step: str, /, before: int, after: int, **parameters: Any) -> None:
    """Record the next filter, and how many samples there were before and after it."""
    if not 0 <= after <= before:
        raise ValueError(f"a filter of {before} samples cannot leave {after}")
    _step("filter", step, {"before": int(before), "after": int(after), **parameters})


def record_optimizer(optimizer: Any, name: str = "optimizer") -> None:
    """Record an optimiser's class and flags, as they are in force in it.

    Also takes an estimator, a booster or a mapping, as ``Recorder.hyperparameters`` does.
    """
    recorder().hyperparameters(optimizer, name)


def record_schedule(schedule: Any, steps: Optional[int] = None, name: str = "schedule") -> None:
    """Record a schedule: a scheduler of PyTorch or Keras, a mapping, or a function of the step.

    A function is called with 0, 1, ... ``steps - 1``; its values become the metric of that name.
    Raises ``TypeError`` for anything else, and ``ValueError`` without ``steps`` for a function.
    """
    found = _parameters(schedule)
    if found is not None:
        _settings(f"{name}.", found)
    elif callable(schedule):
        _values(schedule, steps, name)
    else:
        kind = type(schedule).__name__
        raise TypeError(f"a schedule cannot be read from {kind}: give a mapping or a function")


def _parameters(schedule: Any) -> Optional[Dict[str, Any]]:
    if isinstance(schedule, Mapping):
        return dict(schedule)
    for method in ("state_dict", "get_config"):
        if hasattr(schedule, method):
            held = getattr(schedule, method)()
            kept = {key: value for key, value in held.items() if key not in _STATE}
            return {"class": _named(type(schedule)), **kept}
    return None


def _values(schedule: Callable[[int], Any], steps: Optional[int], name: str) -> None:
    if steps is None or not 0 < steps <= _MOST_STEPS:
        raise ValueError(f"say for how many steps, from 1 to {_MOST_STEPS}: steps=1000")
    writer = recorder()
    for step in range(steps):
        writer.metric(name, float(schedule(step)), step)


def _step(kind: str, step: str, parameters: Mapping[str, Any]) -> None:
    _counts[kind] = _counts.get(kind, 0) + 1
    place = f"{kind}.{_counts[kind]:02}"
    _settings("", {place: step})
    _settings(f"{place}.", parameters)


def _settings(prefix: str, values: Mapping[str, Any]) -> None:
    writer = recorder()
    for name, value in values.items():
        for each, text in _leaves(f"{prefix}{name}", value):
            writer.setting(each, text)


def _leaves(name: str, value: Any) -> Iterator[Tuple[str, str]]:
    """Yield each value of nested mappings by its dotted name."""
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _leaves(f"{name}.{key}", one)
    else:
        yield name, text(value)


def text(value: Any) -> str:
    """Return a value as text: the same in every process, every double to its last bit.

    A double is written in hexadecimal, which `freeze run` records as a number.
    """
    if hasattr(value, "tolist"):  # of NumPy or a tensor library
        value = value.tolist()
    if isinstance(value, float):
        return value.hex()
    if value is None or isinstance(value, (bool, int, str)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(_inner, value))})"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(_inner, value)))}}}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{key}: {_inner(one)}' for key, one in value.items()))}}}"
    return _named(value if hasattr(value, "__qualname__") else type(value))


def _inner(value: Any) -> str:
    """Return a value within others; of doubles the shortest decimal that gives the same one."""
    return repr(value) if type(value) is float else text(value)


def _named(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
