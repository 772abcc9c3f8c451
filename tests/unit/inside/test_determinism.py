"""The settings of every image: one table, each row with its reason and its source."""

import pytest

from freezer.inside.freezer_inside.determinism import (
    NUMERICS,
    SEED,
    in_force,
    pinned,
    settings,
    table,
)

BOTH = pytest.mark.parametrize("numerics", ["native", "portable"])


@BOTH
def test_every_row_says_why_and_where_that_is_written(numerics):
    for row in table(1, 2, numerics):
        assert row.why
        assert row.source.startswith("https://") or row.name in (SEED, NUMERICS)


@BOTH
def test_no_name_is_there_twice(numerics):
    names = [row.name for row in table(1, 2, numerics)]
    assert len(set(names)) == len(names)


def test_what_is_set():
    assert settings(seed=7, threads=3) == {
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "3",
        "OPENBLAS_NUM_THREADS": "3",
        "MKL_NUM_THREADS": "3",
        "BLIS_NUM_THREADS": "3",
        "NUMEXPR_NUM_THREADS": "3",
        "NPROC": "3",
        "TF_NUM_INTRAOP_THREADS": "3",
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_DYNAMIC": "FALSE",
        "MKL_DYNAMIC": "FALSE",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "NVIDIA_TF32_OVERRIDE": "0",
        "FREEZER_SEED": "7",
        "FREEZER_NUMERICS": "native",
    }


def test_portable_numerics_pin_the_kernels_of_every_library_that_chooses_them():
    native, portable = settings(7, 3), settings(7, 3, "portable")
    added = {name: value for name, value in portable.items() if name not in native}
    assert added == pinned()
    assert set(added) == {
        "OPENBLAS_CORETYPE",
        "BLIS_ARCH_TYPE",
        "MKL_CBWR",
        "ONEDNN_MAX_CPU_ISA",
        "ATEN_CPU_CAPABILITY",
        "NPY_DISABLE_CPU_FEATURES",
        "XLA_FLAGS",
    }
    assert {**native, **added, NUMERICS: "portable"} == portable


def test_only_what_is_really_set_is_in_force(monkeypatch):
    for name in settings(1, 1, "portable"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.setenv("HOME", "/secret")
    assert in_force() == {"OMP_NUM_THREADS": "5"}
