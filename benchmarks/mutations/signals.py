"""What each signal alone would have seen of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.model.record.record import Digested, Number, Observation, ReadBack, Tensor, Training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.mutations.container import Told

_PROBE = ("probe: ", "results of ")


def _numbers(training: Training, *kinds: str) -> dict[tuple[str, int], str]:
    return {
        (one.name, one.step): one.value
        for one in training.observations
        if isinstance(one, Number) and one.kind in kinds and not one.name.startswith(_PROBE)
    }


def _last(training: Training) -> dict[str, float]:
    """Return the last value of each loss."""
    return {name: float.fromhex(value) for (name, _), value in _numbers(training, "loss").items()}


def _rounded(told: Told) -> object:
    return {name: f"{value:.4g}" for name, value in _last(told.training).items()}


def _final(told: Told) -> object:
    return _last(told.training)


def _trajectory(told: Told) -> object:
    return _numbers(told.training, "loss", "metric")


def _tensors(training: Training, *, probes: bool) -> Iterator[Observation]:
    for one in training.observations:
        if isinstance(one, Tensor) and one.name.startswith(_PROBE) is probes:
            yield one


def _weights(told: Told) -> object:
    return [(o.name, o.step, o.sha256) for o in _tensors(told.training, probes=False)
            if isinstance(o, Tensor)]  # fmt: skip


def _probes(told: Told) -> object:
    seen = told.training.observations
    streams = [o for o in seen if isinstance(o, Digested) and o.kind == "random"]
    races = [o for o in seen if isinstance(o, Number) and o.name.startswith(_PROBE)]
    return [*streams, *races, *_tensors(told.training, probes=True)]


def _data(told: Told) -> object:
    return [o for o in told.training.observations if isinstance(o, Digested) and o.kind == "data"]


def _said(told: Told) -> object:
    said = [o for o in told.training.observations if isinstance(o, ReadBack)]
    return said, told.host.settings, told.host.blas, told.host.flags


SIGNALS: Mapping[str, Callable[[Told], object]] = {
    "loss, 4 digits": _rounded,
    "last loss": _final,
    "losses, gradients": _trajectory,
    "weights": _weights,
    "streams, probes": _probes,
    "data": _data,
    "fingerprint": _said,
}
"""Versions, switches and host are one: the fingerprint of an environment."""


def seen(expected: Told, found: Told) -> dict[str, bool]:
    """Return which signals differ between two runs."""
    return {name: signal(expected) != signal(found) for name, signal in SIGNALS.items()}


def bits_changed(expected: Told, found: Told) -> bool:
    """Say whether any number that was computed differs."""
    told = seen(expected, found)
    return any(told[name] for name in SIGNALS if name not in ("data", "fingerprint"))
