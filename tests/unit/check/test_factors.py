"""What an audit varies for a lock, and what is known of its packages."""

from __future__ import annotations

from typing import Any

import pytest
from locks import make_lock

from freezer.check.factors import factors
from freezer.check.known import KNOWN, notes
from freezer.inside.freezer_inside.determinism import settings
from freezer.model.lock import Lock


def lock(threads: int = 2, **changes: Any) -> Lock:
    environment = {**settings(1234, threads), **changes.pop("environment", {})}
    return make_lock(environment=environment, **changes)


def test_each_factor_is_named_once_and_says_what_to_do() -> None:
    found = factors(lock())
    names = [item.name for item in found]
    assert len(names) == len(set(names))
    assert names[0] == "again"
    assert all(item.mitigation and item.title for item in found)


def test_what_a_run_is_held_against_comes_before_it() -> None:
    found = factors(lock())
    for number, item in enumerate(found):
        assert item.against is None or item.against in {one.name for one in found[:number]}


@pytest.mark.parametrize(("threads", "fault"), [(1, False), (2, False), (3, True), (8, True)])
def test_a_race_is_a_fault_where_the_image_has_enough_threads_for_one(
    threads: int, fault: bool
) -> None:
    (race,) = (item for item in factors(lock(threads)) if item.name == "race")
    assert race.fault is fault
    assert race.environment["OMP_NUM_THREADS"] == "4"


def test_one_thread_is_not_varied_to_one() -> None:
    assert "threads-1" not in {item.name for item in factors(lock(1))}
    assert "threads-1" in {item.name for item in factors(lock(2))}


def test_kernels_that_the_image_pins_are_left_alone() -> None:
    pinned = lock(environment={"OPENBLAS_CORETYPE": "Haswell"})
    assert {"cpu-avx2", "cpu-v2"} & {item.name for item in factors(pinned)} == set()
    assert {"cpu-avx2", "cpu-v2"} <= {item.name for item in factors(lock())}


def test_each_fixed_setting_is_switched_off_by_itself() -> None:
    found = {item.name: item.environment for item in factors(lock())}
    assert found["without-omp-dynamic"] == {"OMP_DYNAMIC": "TRUE"}
    assert "without-cublas-workspace-config" not in found


def test_what_is_known_has_a_source() -> None:
    for row in KNOWN:
        assert row.source.startswith("https://")
        assert row.says
        assert row.mitigation


def test_a_setting_that_the_spec_undoes_is_noted() -> None:
    undone = lock(environment={"PYTHONHASHSEED": "random", "OMP_NUM_THREADS": ""})
    said = {note.about: note for note in notes(undone)}
    assert "leave PYTHONHASHSEED out" in said["PYTHONHASHSEED=random"].mitigation
    assert "not fixed" in said["OMP_NUM_THREADS="].says
    assert [note for note in notes(lock()) if note.about.startswith("OMP_")] == []
