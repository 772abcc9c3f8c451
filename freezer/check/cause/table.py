"""Table of factors that may affect results, with their values in two records. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.compare.differences import is_arithmetic
from freezer.inside.freezer_inside.determinism import settings
from freezer.model.base import Model
from freezer.model.record.record import Digested, ReadBack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.check.cause.experiments import ExperimentResult
    from freezer.model.record.record import Host, Record, Training

_OF_THE_IMAGE = frozenset(settings(0, 1, "portable"))
"""Settings recorded by each training that are in the host's record already."""


class Row(Model):
    """One factor."""

    factor: str
    """Its name: ``OMP_NUM_THREADS``, ``BLAS kernels``, ``numpy: random streams``."""
    expected: str
    found: str
    evidence: str = ""
    """The result of restoring it alone; empty when that was not tried."""

    @property
    def same(self) -> bool:
        """Whether both records have the same."""
        return self.expected == self.found


def factor_table(
    expected: Record, found: Record, results: Sequence[ExperimentResult] = ()
) -> tuple[Row, ...]:
    """Return a row for each factor in either record, differing ones first."""
    rows = [
        Row(factor=name, expected=before or "none", found=now or "none")
        for name, before, now in _pairs(expected, found)
        if before or now
    ]
    rows = [row.model_copy(update={"evidence": _evidence(row, results)}) for row in rows]
    return tuple(sorted(rows, key=lambda row: row.same))


def _pairs(expected: Record, found: Record) -> Iterator[tuple[str, str, str]]:
    yield "lock", expected.lock_id[:12], found.lock_id[:12]
    yield "image", expected.image[7:19], found.image[7:19]
    notes = [one.inventory.digest[:12] if one.inventory else "" for one in (expected, found)]
    yield "numeric libraries, by digest", notes[0], notes[1]
    yield from _settings(expected.host, found.host)
    for (name, before), (_, now) in zip(_facts(expected.host), _facts(found.host), strict=True):
        yield name, before, now
    before_by_name = {one.name: one for one in expected.trainings}
    for training in found.trainings:
        if training.name in before_by_name:
            yield from _inputs(before_by_name[training.name], training)


def _settings(expected: Host, found: Host) -> Iterator[tuple[str, str, str]]:
    for name in sorted(expected.settings.keys() | found.settings.keys()):
        yield name, expected.settings.get(name, ""), found.settings.get(name, "")


def _facts(host: Host) -> Iterator[tuple[str, str]]:
    yield "numerics class", host.class_
    yield "BLAS kernels", ", ".join(host.blas_kernels)
    yield "BLAS", "; ".join(host.blas)
    yield "GPUs", "; ".join(host.gpus)
    yield "CPU", host.cpu
    yield "CPU level", host.level
    yield "CPU features for arithmetic", " ".join(filter(is_arithmetic, host.flags))
    yield "CPUs in use", str(host.cpus)
    yield "memory", f"{host.memory >> 20} MiB" if host.memory else ""
    yield "C library", host.libc
    yield "Python", host.python
    yield "Linux kernel", host.kernel
    yield "engine", host.engine


def _inputs(expected: Training, found: Training) -> Iterator[tuple[str, str, str]]:
    """Yield versions and switches singly, data and random streams counted."""
    before, now = (
        {(o.kind, o.name): o for o in one.observations if isinstance(o, ReadBack | Digested)}
        for one in (expected, found)
    )
    for kind, name in dict.fromkeys([*before, *now]):
        pair = before.get((kind, name)), now.get((kind, name))
        if kind in ("version", "setting") and name not in _OF_THE_IMAGE:
            plain = name.removeprefix(f"{found.name}: ")
            title = f"{found.name}: {'version of ' if kind == 'version' else ''}{plain}"
            left, right = (one.readable if isinstance(one, ReadBack) else "" for one in pair)
            yield title, left, right
    for kind, noun in (("data", "data and order"), ("random", "random streams")):
        keys = {key for key in (*before, *now) if key[0] == kind}
        same = sum(before.get(key) == now.get(key) for key in keys)
        if keys:
            yield f"{found.name}: {noun}", _counted(len(keys), len(keys)), _counted(same, len(keys))


def _counted(same: int, of: int) -> str:
    every = f"{of} digest{'' if of == 1 else 's'}"
    return every if same == of else f"{of - same} of {every} differ"


def _evidence(row: Row, results: Sequence[ExperimentResult]) -> str:
    """Return the result of the experiment that restored only this factor."""
    for one in results:
        if row.factor in one.experiment.factors and not row.same:
            came = "all results restored" if one.is_cause else f"still {one.verdict.word}"
            return f"restored alone: {came}"
    return ""
