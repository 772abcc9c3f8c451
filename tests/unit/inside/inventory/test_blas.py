"""Each BLAS is asked in its own words, and one that does not tell is not made to."""

import ctypes
from pathlib import Path

import pytest

from freezer.inside.freezer_inside import blas
from freezer.inside.freezer_inside.blas import Blas, loaded_blas, loaded_libraries


class Function:
    def __init__(self, value):
        self.value = value

    def __call__(self, *arguments):
        if isinstance(self.value, bytes) and arguments and hasattr(arguments[0], "value"):
            arguments[0].value = self.value
        return self.value


class Library:
    def __init__(self, **functions):
        for name, value in functions.items():
            setattr(self, name, Function(value))


@pytest.fixture
def load(monkeypatch):
    """Return a function that asks a library which says what is given."""

    def ask(path, *others, **functions):
        monkeypatch.setattr(blas.ctypes, "CDLL", lambda _: Library(**functions))
        return [str(one) for one in loaded_blas([path, *others])]

    return ask


CONFIG = b"OpenBLAS 0.3.31.188.0  USE64BITINT DYNAMIC_ARCH NO_AFFINITY SkylakeX MAX_THREADS=64"


@pytest.mark.parametrize("form", ["{}", "scipy_{}", "{}64_", "scipy_{}64_"])
def test_openblas_by_any_of_its_names(load, form):
    functions = {
        form.format("openblas_get_corename"): b"SkylakeX",
        form.format("openblas_get_config"): CONFIG,
        form.format("openblas_get_num_threads"): 2,
    }
    said = ["OpenBLAS 0.3.31.188.0, SkylakeX, 2 threads"]
    assert load("/opt/env/numpy.libs/libscipy_openblas64_-7d5b.so", **functions) == said


def test_openblas_as_the_systems_blas(load):
    said = load("/usr/lib/libblas.so.3", openblas_get_corename=b"Zen", openblas_get_num_threads=1)
    assert said == ["OpenBLAS, Zen, 1 thread"]


def test_mkl_names_its_kernels_by_what_it_loaded(load):
    said = load(
        "/opt/env/lib/libmkl_rt.so.2",
        "/opt/env/lib/libmkl_core.so.2",
        "/opt/env/lib/libmkl_avx512.so.2",
        "/opt/env/lib/libmkl_vml_avx2.so.2",
        mkl_get_version_string=b"Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 1",
        MKL_Get_Max_Threads=2,
    )
    assert said == ["MKL 2024.2-Product, mkl-avx512, 2 threads"]


def test_blis(load):
    said = load(
        "/usr/lib/libblis.so.4",
        bli_info_get_version_str=b"0.9.0",
        bli_arch_query_id=7,
        bli_arch_string=b"zen3",
        bli_thread_get_num_threads=2,
    )
    assert said == ["BLIS 0.9.0, blis-zen3, 2 threads"]


def test_one_that_does_not_tell_is_named_by_its_file(load):
    assert load("/usr/lib/libblas.so.3.11.0") == ["libblas.so.3.11.0"]


def test_other_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(blas.ctypes, "CDLL", lambda _: pytest.fail("it was loaded"))
    assert loaded_blas(["/lib/libc.so.6", "/lib/libm.so.6", "/lib/liblapack.so.3"]) == []


def test_the_libraries_of_this_process():
    found = loaded_libraries(Path("/proc/self/maps").read_text())
    assert any("libc" in path for path in found)
    assert all(ctypes.CDLL(path) for path in found if path.endswith("libc.so.6"))


def test_a_line_for_people():
    assert str(Blas("MKL", "", "", 0)) == "MKL"
