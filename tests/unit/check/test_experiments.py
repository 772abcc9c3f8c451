"""What is put back to find a cause, and when it is one."""

from __future__ import annotations

from typing import Any

import pytest

from freezer.check.cause.experiments import _FEWER, MOST, Experiment, ExperimentResult, experiments
from freezer.check.compare.compare import compare
from freezer.model.record.record import Host
from tests.support.project.records import HOST, lines, record


def host(**changes: Any) -> Host:
    return Host.model_validate({**HOST, **changes})


def test_hosts_that_do_not_differ_leave_nothing_to_try() -> None:
    assert experiments(host(), host()) == ()
    assert experiments(host(), host(cpu="Another", kernel="7.0")) == ()


def test_threads_go_back_together_since_one_number_is_in_several_variables() -> None:
    before = host(settings={"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"})
    now = host(settings={"OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"})
    (found,) = experiments(before, now)
    assert found.title == "2 threads, as in the reference"
    assert found.environment == {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}


def test_one_thing_at_a_time_and_then_all_of_them() -> None:
    before = host(
        settings={"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "2"}, **{"blas-kernels": ["Haswell"]}
    )
    now = host(settings={"OMP_NUM_THREADS": "4", "MKL_CBWR": "AVX2"})
    found = experiments(before, now)
    assert [one.environment for one in found[:-1]] == [
        {"MKL_CBWR": ""},
        {"PYTHONHASHSEED": "0"},
        {"OMP_NUM_THREADS": "2"},
        {"OPENBLAS_CORETYPE": "Haswell"},
    ]
    assert found[0].title.startswith("MKL_CBWR not set")
    assert dict(found[-1].environment) == {
        "MKL_CBWR": "",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_CORETYPE": "Haswell",
    }


NEW = ["avx2", "avx512f", "avx512_bf16"]


@pytest.mark.parametrize(
    ("flags", "without"),
    [(["avx2", "avx512f"], "newest"), (["avx2"], "AVX-512"), (["sse4_2"], "AVX2")],
)
def test_what_only_this_cpu_can_do_is_left_out(flags: list[str], without: str) -> None:
    (found,) = experiments(host(flags=flags), host(flags=NEW))
    assert without in found.title
    assert all(found.environment.values())


def test_a_cpu_that_can_do_less_and_one_that_is_pinned_have_nothing_to_leave_out() -> None:
    assert experiments(host(flags=NEW), host(flags=["avx2"])) == ()
    assert experiments(host(flags=["avx2"]), host(flags=["avx2", "smep"])) == ()
    pins = {name: "x" for _, _, names in _FEWER for name in names}
    both = {"flags": ["avx2"], "settings": pins}, {"flags": NEW, "settings": pins}
    assert experiments(*(host(**one) for one in both)) == ()


def test_there_is_an_end_to_trying() -> None:
    many = {f"X_{number}": "1" for number in range(20)}
    assert len(experiments(host(settings=many), host(settings={}))) == MOST


def test_the_seed_is_the_specs_and_a_kernel_without_a_name_cannot_be_put_back() -> None:
    before = host(settings={"FREEZER_SEED": "1"}, **{"blas-kernels": ["unheard-of"]})
    assert experiments(before, host(settings={"FREEZER_SEED": "2"})) == ()


def test_only_the_same_bits_are_evidence() -> None:
    one = Experiment("2 threads", {})
    assert ExperimentResult(one, compare(record(), record())).is_cause
    assert not ExperimentResult(one, compare(record(), record(lines(weight=1.0000001)))).is_cause
