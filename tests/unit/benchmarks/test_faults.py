"""The trainings with a fault: each meets a measured row, and its cause is the first that fits."""

from __future__ import annotations

import json

import pytest

from benchmarks.atlas.faults.catalogue import FAULTS, IMAGES, Fault
from benchmarks.atlas.faults.run import MEASURED, Outcome
from freezer.check.cause.measured import fitting_causes, fitting_effects
from freezer.frameworks.atlas.table import sheet
from freezer.model.lock import Lock
from tests.support.project.locks import make_lock

EVERY = pytest.mark.parametrize(
    "fault", FAULTS, ids=[f"{one.package}: {one.operation}" for one in FAULTS]
)


def locked(fault: Fault) -> Lock:
    made = make_lock()
    [example] = made.pip
    pairs = [item.split("==") for item in IMAGES[fault.image]]
    found = [example.model_copy(update={"name": name, "version": one}) for name, one in pairs]
    return make_lock(
        pip=tuple(sorted(found, key=lambda item: item.name)),
        smoke=made.smoke.model_copy(update={"cpus": 2}),
        environment={"OMP_NUM_THREADS": str(fault.threads)},
    )


def test_there_are_twenty() -> None:
    assert len(FAULTS) >= 20
    assert {one.image for one in FAULTS} == set(IMAGES)


@EVERY
def test_each_is_a_measured_row_with_a_setting(fault: Fault) -> None:
    known = sheet(fault.package)
    assert known is not None
    [version] = [
        item.split("==")[1] for item in IMAGES[fault.image] if item.startswith(f"{fault.package}==")
    ]
    rows = [
        row
        for row in known.rows
        if row.operation == fault.operation and version in row.versions and row.effect != "same"
    ]
    assert rows
    assert all(row.setting for row in rows)


@EVERY
def test_both_programs_compile_and_differ(fault: Fault) -> None:
    assert fault.faulty != fault.mended
    for program in (fault.faulty, fault.mended):
        compile(program, "train.py", "exec")


@EVERY
def test_the_measured_row_fits_best(fault: Fault) -> None:
    lock, sources = locked(fault), [fault.faulty]
    named = (
        fitting_causes(lock, sources)
        if fault.by == "check"
        else fitting_effects(lock, sources, "threads-4")
    )
    assert f", {fault.operation}: " in named[0]


def test_those_that_were_run_for_real_were_named_and_mended() -> None:
    outcomes = [Outcome(**item) for item in json.loads(MEASURED.read_text()).values()]
    assert len(outcomes) >= 20
    assert all(one.good for one in outcomes)
    known = {(one.package, one.operation) for one in FAULTS}
    assert {(one.package, one.operation) for one in outcomes} <= known
