"""What an audit varies for a lock, and what is known of its packages."""

from __future__ import annotations

from typing import Any

import pytest

from freezer.check.audit.documented import notes
from freezer.check.audit.factors import factors
from freezer.frameworks.atlas.table import covers
from freezer.inside.freezer_inside.determinism import pinned, settings
from freezer.inside.freezer_inside.switches import WITHOUT
from freezer.model.lock import Lock, PipPackage
from tests.support.project.locks import make_lock


def lock(threads: int = 2, **changes: Any) -> Lock:
    environment = {**settings(1234, threads), **changes.pop("environment", {})}
    if "trainings" in changes:
        plan = make_lock().smoke
        changes["smoke"] = plan.model_copy(update={"trainings": changes.pop("trainings")})
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


def test_kernels_that_the_spec_pins_are_left_alone() -> None:
    one = lock(environment={"OPENBLAS_CORETYPE": "Haswell"})
    assert {"cpu-portable", "cpu-v2"} & {item.name for item in factors(one)} == set()
    assert {"cpu-portable", "cpu-v2", "libm"} <= {item.name for item in factors(lock())}


def test_portable_numerics_are_what_is_measured_and_are_freed_where_the_image_has_them() -> None:
    (varied,) = (item for item in factors(lock()) if item.name == "cpu-portable")
    assert (varied.environment, varied.costs) == (pinned(), "as varied")
    kernels = [item for item in factors(lock(environment=pinned())) if "cpu" in item.name]
    assert [item.name for item in kernels] == ["cpu-native"]
    assert (set(kernels[0].environment.values()), kernels[0].costs) == ({""}, "as locked")


def test_each_switch_of_a_framework_that_is_trained_is_left_out_by_itself() -> None:
    found = {item.name: item for item in factors(lock(trainings=("lightgbm", "numpy", "torch")))}
    one = found["without-torch-deterministic-algorithms"]
    assert one.environment == {WITHOUT: "torch: deterministic algorithms"}
    assert (one.only, one.costs) == (("torch",), "as locked")
    assert found["workers"].only == ("torch",)
    assert "without-lightgbm-force-row-wise" in found
    assert "without-torch-cudnn-benchmark" not in found
    assert not [name for name in found if name.startswith("without-jax")]
    assert "workers" not in {item.name for item in factors(lock())}


def test_each_fixed_setting_is_switched_off_by_itself() -> None:
    found = {item.name: item.environment for item in factors(lock())}
    assert found["without-omp-dynamic"] == {"OMP_DYNAMIC": "TRUE"}
    assert "without-cublas-workspace-config" not in found


def test_a_setting_that_the_spec_undoes_is_noted() -> None:
    undone = lock(environment={"PYTHONHASHSEED": "random", "OMP_NUM_THREADS": ""})
    said = {note.about: note for note in notes(undone)}
    assert "leave PYTHONHASHSEED out" in said["PYTHONHASHSEED=random"].mitigation
    assert "not fixed" in said["OMP_NUM_THREADS="].says
    assert [note for note in notes(lock()) if note.about.startswith("OMP_")] == []


def wheel(name: str, version: str) -> PipPackage:
    return make_lock().pip[0].model_copy(update={"name": name, "version": version})


@pytest.mark.parametrize(
    ("versions", "locked", "covered"),
    [
        (("1.2.3",), "1.2.3", True),
        (("1.2.3",), "1.2.9+cpu", True),
        (("1.2.3",), "1.3.0", False),
        (("1.2.3", "1.9.0"), "1.4", True),
        (("1.2.3", "1.9.0"), "1.10.0", False),
        (("1.2.3", "1.9.0"), "1.1", False),
        (("1.2.3",), "2022a_b!", False),
    ],
)
def test_a_measurement_is_of_the_versions_that_were_measured(
    versions: tuple[str, ...], locked: str, covered: bool
) -> None:
    assert covers(versions, locked) is covered


def test_what_was_measured_of_a_locked_version_is_noted_with_its_date() -> None:
    said = notes(lock(pip=(wheel("lightgbm", "4.7.0"),)))
    assert [note.about for note in said] == ["lightgbm 4.7.0"] * 2
    assert (said[0].source or "").startswith("https://lightgbm")
    assert (said[1].source or "").startswith("measured with 4.7.0, 2026-")
    assert "deterministic=True" in said[1].mitigation
    assert (said[1].kind, said[1].covered) == ("measured", None)
    older = notes(lock(pip=(wheel("lightgbm", "3.3.5"),)))
    assert [note.source for note in older] == [said[0].source]
