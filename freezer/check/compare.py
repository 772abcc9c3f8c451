"""Two records held against each other, observation by observation, to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.explain import differences_of_hosts, explains
from freezer.check.ulps import double_ulps, sample_distance
from freezer.model.record import Digested, Number, Said, Tensor
from freezer.model.verdict import Compared, Difference, Verdict, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.record import Observation, Record, Training

_TOLERANCES = {"numpy": (1e-5, 1e-5), "sklearn": (1e-12, 1e-10)}
"""Training to the relative error of losses and of tensors (by norm) that separated benign from
harmful changes: 129 benign and 31 harmful runs on one AVX-512 host with two cores, 2026."""
_WORST = (Word.FAILED, Word.DRIFTED, Word.NOT_COMPARABLE, Word.EQUIVALENT, Word.IDENTICAL)


def compare(expected: Record, found: Record) -> Verdict:
    """Return the verdict on a record, given the one that is expected. Pure.

    ``identical`` only when every observation of every training is; ``equivalent`` only within
    tolerance and where the hosts differ in something that explains it.
    """
    causes = differences_of_hosts(expected.host, found.host)
    if expected.inside != found.inside:
        return incomparable(found, "another version of the trainings ran")
    explained = explains(causes)
    before = {training.name: training for training in expected.trainings}
    names = dict.fromkeys([*before, *(training.name for training in found.trainings)])
    after = {training.name: training for training in found.trainings}
    compared = tuple(
        _training(name, before.get(name), after.get(name), explained=explained) for name in names
    )
    return Verdict(
        word=_worst(compared),
        trainings=compared,
        causes=tuple(causes) if any(one.word is not Word.IDENTICAL for one in compared) else (),
    )


def incomparable(found: Record, reason: str) -> Verdict:
    """Return the verdict on a record that there is nothing to hold against. Pure."""
    compared = tuple(
        _judged(one.name, Word.NOT_COMPARABLE, one, reason=reason)
        if one.failure is None
        else _judged(one.name, Word.FAILED, one, reason=one.failure)
        for one in found.trainings
    )
    return Verdict(word=_worst(compared), trainings=compared)


def _worst(compared: Sequence[Compared]) -> Word:
    words = {one.word for one in compared}
    return next((word for word in _WORST if word in words), Word.NOT_COMPARABLE)


def _training(
    name: str, expected: Training | None, found: Training | None, *, explained: bool
) -> Compared:
    if found is None:
        return _judged(name, Word.FAILED, None, reason="it did not run")
    if found.failure is not None:
        return _judged(name, Word.FAILED, found, reason=found.failure)
    if expected is None:
        return _judged(
            name, Word.NOT_COMPARABLE, found, reason="the reference has no such training"
        )
    if expected.failure is not None:
        return _judged(name, Word.NOT_COMPARABLE, found, reason="it failed in the reference")
    differing = _differing(expected, found)
    if not differing:
        return _judged(name, Word.IDENTICAL, found)
    of = max(len(expected.observations), len(found.observations))
    first = _difference(name, *differing[0]).model_copy(
        update={"differing": len(differing), "of": of}
    )
    tolerable = explained and all(_within(name, *pair) for pair in differing)
    return _judged(name, Word.EQUIVALENT if tolerable else Word.DRIFTED, found, first)


def _judged(
    name: str,
    word: Word,
    training: Training | None,
    first: Difference | None = None,
    reason: str | None = None,
) -> Compared:
    return Compared(
        training=name,
        word=word,
        observations=len(training.observations) if training else 0,
        steps=_steps(training) if training else 0,
        first=first,
        reason=reason,
    )


def _steps(training: Training) -> int:
    return len({(o.name, o.step) for o in training.observations if o.kind == "loss"})


Pair = tuple["Observation | None", "Observation | None"]


def _differing(expected: Training, found: Training) -> list[Pair]:
    """Return the observations that are not the same in both, in the order of the training."""
    longest = max(len(expected.observations), len(found.observations))
    left: list[Observation | None] = [*expected.observations]
    right: list[Observation | None] = [*found.observations]
    left += [None] * (longest - len(left))
    right += [None] * (longest - len(right))
    return [(a, b) for a, b in zip(left, right, strict=True) if not _same(a, b)]


def _same(expected: Observation | None, found: Observation | None) -> bool:
    if isinstance(expected, Tensor) and isinstance(found, Tensor):
        # The digest is over all elements; the sample is only for people.
        parts = ("name", "step", "dtype", "shape", "sha256")
        return all(getattr(expected, part) == getattr(found, part) for part in parts)
    return expected == found


def _difference(
    training: str, expected: Observation | None, found: Observation | None
) -> Difference:
    if expected is None or found is None or _key(expected) != _key(found):
        return Difference(
            training=training,
            what="the order of what the training tells",
            expected=_words(expected),
            found=_words(found),
        )
    ulps, relative = _distance(expected, found)
    return Difference(
        training=training,
        what=_key(found),
        step=getattr(found, "step", None),
        expected=_value(expected),
        found=_value(found),
        ulps=ulps,
        relative=relative,
    )


def _distance(expected: Observation, found: Observation) -> tuple[int | None, float | None]:
    if isinstance(expected, Number) and isinstance(found, Number):
        left, right = float.fromhex(expected.value), float.fromhex(found.value)
        ulps = double_ulps(left, right)
        return ulps, None if ulps is None or left == 0 else abs(left - right) / abs(left)
    if isinstance(expected, Tensor) and isinstance(found, Tensor):
        return sample_distance(expected, found)
    return None, None


def _within(training: str, expected: Observation | None, found: Observation | None) -> bool:
    """Say whether a difference is within the tolerance of a built-in training.

    Settings, versions, data and random streams have no tolerance: they must be the same.
    """
    if training not in _TOLERANCES or expected is None or found is None:
        return False
    if _key(expected) != _key(found) or isinstance(found, (Said, Digested)):
        return False
    if isinstance(found, Tensor) and found.step == 0 and not found.name.startswith("probe"):
        return training != "numpy"  # first weights are exact
    relative = _distance(expected, found)[1]
    loss, tensor = _TOLERANCES[training]
    return relative is not None and relative <= (tensor if isinstance(found, Tensor) else loss)


def _key(observation: Observation) -> str:
    if isinstance(observation, (Number, Tensor)):
        return f"{observation.name} at step {observation.step}"
    if isinstance(observation, Digested):
        noun = "data" if observation.kind == "data" else "random numbers"
        return f"{noun} {observation.name!r}"
    return f"{observation.kind} of {observation.name}"


def _words(observation: Observation | None) -> str:
    return "nothing more" if observation is None else _key(observation)


def _value(observation: Observation) -> str:
    if isinstance(observation, Number):
        return f"{float.fromhex(observation.value):.17g} ({observation.value})"
    if isinstance(observation, Said):
        return observation.value
    if isinstance(observation, Tensor):
        shape = "x".join(map(str, observation.shape)) or "scalar"
        return f"{observation.dtype[1:]} {shape}, sha256 {observation.sha256[:12]}"
    return f"sha256 {observation.sha256[:12]}"
