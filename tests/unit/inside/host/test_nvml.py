"""NVIDIA's own library is asked; a library of the same functions, made here, answers."""

import ctypes.util
import json
import subprocess
import sys

import pytest

from freezer.inside.freezer_inside import nvml
from freezer.inside.freezer_inside.nvml import Gpu, ask

pytestmark = pytest.mark.process

SOURCE = """
#include <string.h>
static int handles[2];
int nvmlInit_v2(void) { return INIT; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char *to, unsigned size) {
    strncpy(to, "550.54.15", size); return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    *handle = &handles[index]; return 0; }
int nvmlDeviceGetName(void *handle, char *to, unsigned size) {
    strncpy(to, handle == &handles[0] ? "NVIDIA H100" : "Tesla K80", size); return 0; }
int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor) {
    if (handle != &handles[0]) return 3;
    *major = 9; *minor = 0; return 0; }
"""


@pytest.fixture
def library(tmp_path):
    """Return a function that makes a library; ``status`` is what it begins with."""

    def make(status, without=""):
        source, path = tmp_path / "nvml.c", tmp_path / f"libnvidia-ml.so.{status}"
        text = SOURCE.replace("INIT", str(status))
        source.write_text(text.replace(without, f"other_{without}") if without else text)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", path, source], check=True)
        return str(path)

    return make


def test_driver_name_and_capability_of_each_gpu(library):
    assert ask(library(0)) == [
        Gpu("550.54.15", "9.0", "NVIDIA H100"),
        Gpu("550.54.15", "", "Tesla K80"),
    ]
    assert str(Gpu("1", "9.0", "A")) == "A, compute capability 9.0, driver 1"


def test_a_library_that_does_not_begin_or_is_none_tells_nothing(library, tmp_path):
    assert ask(library(9)) is None
    assert ask(str(tmp_path / "none.so")) is None
    assert ask(library(0, "nvmlDeviceGetCount_v2")) is None
    assert ask(ctypes.util.find_library("c")) is None


def test_as_a_program_it_prints_one_document():
    done = subprocess.run([sys.executable, nvml.__file__], capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert found is None or all(set(one) == set(Gpu._fields) for one in found)
