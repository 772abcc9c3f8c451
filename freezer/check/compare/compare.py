"""Compares two records, observation by observation, bit for bit."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from freezer.check.compare.differences import differences_of_hosts, differences_of_inputs, explains
from freezer.check.compare.edited import edited
from freezer.check.compare.measure import distance, within
from freezer.check.compare.ulps import Distance
from freezer.check.inventory.numerics import differences_of_notes
from freezer.model.record.record import Digested, Number, ReadBack, Tensor
from freezer.model.record.verdict import Difference, TrainingVerdict, Verdict, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.record.record import Observation, Record, Training

_WORST = (Word.FAILED, Word.DRIFTED, Word.NOT_COMPARABLE, Word.EQUIVALENT, Word.IDENTICAL)


def compare(expected: Record, found: Record, *, tolerant: bool = True) -> Verdict:
    """Return the verdict on a record, compared with the expected one. Pure.

    ``identical`` only when all observations of all trainings are equal; ``equivalent`` only within
    tolerance, if a difference between the hosts explains it and ``tolerant`` is set.
    """
    causes = [
        *differences_of_notes(expected.inventory, found.inventory),
        *differences_of_hosts(expected.host, found.host),
    ]
    if expected.inside != found.inside:
        return incomparable(found, "another version of the trainings ran")
    explained = tolerant and explains(causes)
    before = {training.name: training for training in expected.trainings}
    names = dict.fromkeys([*before, *(training.name for training in found.trainings)])
    after = {training.name: training for training in found.trainings}
    compared = tuple(
        _training(name, before.get(name), after.get(name), explained=explained) for name in names
    )
    return Verdict(
        word=worst(compared),
        trainings=compared,
        causes=(*_training_causes(expected, found, causes), *causes)
        if worst(compared) is not Word.IDENTICAL
        else (),
    )


def incomparable(found: Record, reason: str) -> Verdict:
    """Return the verdict on a record without anything to compare with. Pure."""
    compared = tuple(
        _training_verdict(one.name, Word.NOT_COMPARABLE, one, reason=reason)
        if one.failure is None
        else _training_verdict(one.name, Word.FAILED, one, reason=one.failure)
        for one in found.trainings
    )
    return Verdict(word=worst(compared), trainings=compared)


def _training_causes(expected: Record, found: Record, causes: Sequence[str]) -> list[str]:
    """Return causes from the trainings' own observations."""
    after = {training.name: training for training in found.trainings}
    pairs = [(one, after[one.name]) for one in expected.trainings if one.name in after]
    inputs = [sentence for pair in pairs for sentence in differences_of_inputs(*pair)]
    if inputs or explains(causes) or expected.lock_id != found.lock_id:
        return inputs
    return [sentence for a, b in pairs for sentence in edited(a, _differing(a, b))]


def worst(compared: Sequence[TrainingVerdict]) -> Word:
    """Return the worst verdict of some trainings; "not comparable" for none."""
    words = {one.word for one in compared}
    return next((word for word in _WORST if word in words), Word.NOT_COMPARABLE)


def _training(
    name: str, expected: Training | None, found: Training | None, *, explained: bool
) -> TrainingVerdict:
    if found is None:
        return _training_verdict(name, Word.FAILED, None, reason="it did not run")
    if found.failure is not None:
        return _training_verdict(name, Word.FAILED, found, reason=found.failure)
    if expected is None:
        return _training_verdict(
            name, Word.NOT_COMPARABLE, found, reason="the reference has no such training"
        )
    if expected.failure is not None:
        return _training_verdict(
            name, Word.NOT_COMPARABLE, found, reason="it failed in the reference"
        )
    differing = _differing(expected, found)
    if not differing:
        return _training_verdict(name, Word.IDENTICAL, found)
    of = max(len(expected.observations), len(found.observations))
    measured = list(_measured(differing))
    begins = _begins(differing)
    first = _difference(name, differing[begins], measured[begins]).model_copy(
        update={"differing": len(differing), "of": of}
    )
    tolerable = explained and all(_within(name, *pair) for pair in measured)
    return _training_verdict(name, Word.EQUIVALENT if tolerable else Word.DRIFTED, found, first)


def _begins(differing: Sequence[Pair]) -> int:
    """Return the index of the difference to report first: of a number, if there is one.

    Versions and settings come before all numbers, and are reported as causes.
    """
    numbers = (
        at
        for at, pair in enumerate(differing)
        if not any(isinstance(one, ReadBack) for one in pair)
    )
    return next(numbers, 0)


def _training_verdict(
    name: str,
    word: Word,
    training: Training | None,
    first: Difference | None = None,
    reason: str | None = None,
) -> TrainingVerdict:
    return TrainingVerdict(
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
    """Return the observations that differ, in the order of the training."""
    pairs = _paired(expected.observations, found.observations)
    differing = [(a, b) for a, b in pairs if not _same(a, b)]
    if differing:
        return differing
    in_order = zip(expected.observations, found.observations, strict=True)
    return [(a, b) for a, b in in_order if _key(a) != _key(b)]


def _paired(expected: Sequence[Observation], found: Sequence[Observation]) -> list[Pair]:
    """Pair the n-th observations of each name; None for a missing one."""
    rest: dict[str, deque[Observation]] = {}
    for one in found:
        rest.setdefault(_key(one), deque()).append(one)
    pairs: list[Pair] = []
    for one in expected:
        same_name = rest.get(_key(one))
        pairs.append((one, same_name.popleft() if same_name else None))
    unpaired = {id(one) for queue in rest.values() for one in queue}
    return pairs + [(None, one) for one in found if id(one) in unpaired]


def _same(expected: Observation | None, found: Observation | None) -> bool:
    if isinstance(expected, Tensor) and isinstance(found, Tensor):
        # The digest covers all elements; sample and sketch only serve for distances.
        parts = ("name", "step", "dtype", "shape", "sha256")
        return all(getattr(expected, part) == getattr(found, part) for part in parts)
    return expected == found


def _measured(differing: Sequence[Pair]) -> Sequence[Pair]:
    """Return for each pair the one to measure its distance by, usually itself.

    A tensor recorded by its digest alone is measured at the next step at which a tensor of its name
    is sampled.
    """
    sampled: dict[str, Pair] = {}
    found: list[Pair] = []
    for left, right in reversed(differing):
        by: Pair = (left, right)
        if isinstance(left, Tensor) and isinstance(right, Tensor):
            if left.sample is None and right.sample is None:
                by = sampled.get(left.name, by)
            else:
                sampled[left.name] = by
        found.append(by)
    return found[::-1]


def _difference(training: str, pair: Pair, measured: Pair) -> Difference:
    expected, found = pair
    what = next(_key(one) for one in (expected, found) if one is not None)
    step = getattr(expected or found, "step", None)
    if expected is None or found is None:
        return Difference(
            training=training,
            what=what,
            step=step,
            expected=_value(expected) if expected else "not recorded",
            found=_value(found) if found else "not recorded",
        )
    if _key(expected) != _key(found):
        return Difference(
            training=training,
            what="the order of the observations",
            expected=_key(expected),
            found=_key(found),
        )
    where, apart = measured[0] or expected, _apart(measured)
    itself = where is expected
    return Difference(
        training=training,
        what=what,
        step=step,
        expected=_with_element(expected, apart.values[0] if itself and apart.values else None),
        found=_with_element(found, apart.values[1] if itself and apart.values else None),
        ulps=apart.ulps,
        median_ulps=apart.median,
        relative=apart.relative,
        place=apart.place,
        note=apart.note,
        measured=None if itself else _key(where),
    )


def _apart(pair: Pair) -> Distance:
    expected, found = pair
    return Distance() if expected is None or found is None else distance(expected, found)


def _within(training: str, expected: Observation | None, found: Observation | None) -> bool:
    if expected is None or found is None or _key(expected) != _key(found):
        return False
    return within(training, expected, found)


def _key(observation: Observation) -> str:
    if isinstance(observation, (Number, Tensor)):
        return f"{observation.name} at step {observation.step}"
    if isinstance(observation, Digested):
        noun = "data" if observation.kind == "data" else "random numbers"
        return f"{noun} {observation.name!r}"
    return f"{observation.kind} of {observation.name}"


def _with_element(observation: Observation, element: str | None) -> str:
    """Return a value as text; a tensor with the differing element, as its digest hides that."""
    return _value(observation) if element is None else f"{_value(observation)}, {element}"


def _value(observation: Observation) -> str:
    if isinstance(observation, Number):
        value = float.fromhex(observation.value)
        return f"{value:.17g} ({observation.value})" if math.isfinite(value) else f"{value}"
    if isinstance(observation, ReadBack):
        return observation.readable
    if isinstance(observation, Tensor):
        shape = "x".join(map(str, observation.shape)) or "scalar"
        return f"{observation.dtype[1:]} {shape}, sha256 {observation.sha256[:12]}"
    return f"sha256 {observation.sha256[:12]}"
