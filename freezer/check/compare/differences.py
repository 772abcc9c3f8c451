"""Differences between two records besides their results, the likeliest cause first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freezer.model.record.record import Digested, ReadBack, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.record.record import Host, Training

_NO_CAUSE = (
    "the Linux kernel", "the number of CPUs", "the CPU:", "other CPU features", "the memory",
    "the engine", "PYTHONHASHSEED", "FREEZER_SEED",
)  # fmt: skip
"""Differences that are reported but do not affect results by themselves."""
_ARITHMETIC = re.compile(r"(avx|amx|sse|ssse|fma|f16c|asimd|sve|sme(?!p)|fp(?!u)|bf16|i8mm)")
"""CPU features by which libraries select kernels."""


def differences_of_hosts(expected: Host, found: Host) -> list[str]:
    """Return a sentence for each difference between a reference's host and this one."""
    return [*_settings(expected, found), *_facts(expected, found)]


def explains(sentences: Sequence[str]) -> bool:
    """Return whether some of the differences can affect results."""
    return any(not sentence.startswith(_NO_CAUSE) for sentence in sentences)


def is_arithmetic(feature: str) -> bool:
    """Return whether libraries select kernels by a CPU feature."""
    return bool(_ARITHMETIC.match(feature))


def differences_of_inputs(expected: Training, found: Training) -> list[str]:
    """Return a sentence for each version, setting, data or random stream that differs."""
    before, now = _given(expected), _given(found)
    changed = [
        _changed(a, b)
        for key, given in now.items()
        for a, b in zip(before.get(key, ()), given, strict=False)
        if a != b
    ]
    new = [
        f"{one.kind} {one.name} is {one.readable}, was not recorded" for one in _only(now, before)
    ]
    removed = [
        f"{one.kind} {one.name} is not recorded, was {one.readable}" for one in _only(before, now)
    ]
    # A training that was interrupted did not record the rest.
    sentences = [*changed, *new, *(removed if found.failure is None else ())]
    return [*(f"{found.name}: {sentence}" for sentence in sentences), *_types(expected, found)]


_Given = dict[tuple[str, str], list["ReadBack | Digested"]]


def _given(training: Training) -> _Given:
    """Return a training's inputs by kind and name, in order of recording."""
    given: _Given = {}
    for one in training.observations:
        if isinstance(one, (ReadBack, Digested)):
            given.setdefault((one.kind, one.name), []).append(one)
    return given


def _only(given: _Given, other: _Given) -> list[ReadBack]:
    """Return the versions and settings that only one of two trainings recorded."""
    alone = (one for key, found in given.items() if key not in other for one in found)
    return [one for one in alone if isinstance(one, ReadBack)]


def _types(expected: Training, found: Training) -> Iterator[str]:
    """Yield a sentence when tensors have another type, by the first such tensor."""
    before = {one.name: one.dtype for one in expected.observations if isinstance(one, Tensor)}
    for one in found.observations:
        if isinstance(one, Tensor) and before.get(one.name, one.dtype) != one.dtype:
            types = f"{one.dtype[1:]}, was {before[one.name][1:]}"
            yield f"{found.name}: it computes in another type: {one.name} is {types}"
            return


def _changed(expected: ReadBack | Digested, found: ReadBack | Digested) -> str:
    if isinstance(expected, ReadBack) and isinstance(found, ReadBack):
        return f"{found.kind} {found.name} is {found.readable}, was {expected.readable}"
    if found.kind == "data":
        return f"the data {found.name!r} differ"
    return f"the random numbers {found.name!r} differ"


def _settings(expected: Host, found: Host) -> Iterator[str]:
    for name in sorted(expected.settings.keys() | found.settings.keys()):
        before, now = expected.settings.get(name), found.settings.get(name)
        if before != now:
            yield f"{name} is {now or 'not set'}, was {before or 'not set'}"


def _facts(expected: Host, found: Host) -> Iterator[str]:
    pairs = (
        ("the BLAS kernels", ", ".join(expected.blas_kernels), ", ".join(found.blas_kernels)),
        ("the BLAS", "; ".join(expected.blas), "; ".join(found.blas)),
        ("the GPUs", "; ".join(expected.gpus), "; ".join(found.gpus)),
        ("the CPU's level", expected.level, found.level),
        ("the C library", expected.libc, found.libc),
        ("Python", expected.python, found.python),
    )
    yield from _unequal(pairs)
    yield from _features(expected, found)
    yield from _unequal(
        (
            ("the CPU", expected.cpu, found.cpu),
            ("the number of CPUs", str(expected.cpus), str(found.cpus)),
            ("the Linux kernel", expected.kernel, found.kernel),
        )
    )
    if expected.engine and found.engine:
        yield from _unequal([("the engine", expected.engine, found.engine)])
    if expected.memory and found.memory and expected.memory != found.memory:
        yield f"the memory: {found.memory >> 20} MiB, was {expected.memory >> 20} MiB"


def _unequal(pairs: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    for what, before, now in pairs:
        if before != now:
            yield f"{what}: {now or 'none'}, was {before or 'none'}"


def _features(expected: Host, found: Host) -> Iterator[str]:
    removed, new = set(expected.flags) - set(found.flags), set(found.flags) - set(expected.flags)
    for what, chosen in (("CPU features for arithmetic", True), ("other CPU features", False)):
        parts = (
            _listed(word, sorted(name for name in names if is_arithmetic(name) is chosen))
            for word, names in (("without", removed), ("with", new))
        )
        listed = "; ".join(part for part in parts if part)
        if listed:
            yield f"{what}: {listed}"


def _listed(word: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"{word} {', '.join(names[:8])}{more}"
