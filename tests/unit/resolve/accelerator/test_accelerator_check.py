"""Locked packages compared with `accelerator:`."""

from __future__ import annotations

import pytest

from freezer.errors import ResolveError
from freezer.model.lock import Accelerator, CondaPackage, PipPackage
from freezer.resolve.accelerator.check import (
    check_locked,
    locked_accelerator,
    require_gpu_wheels,
)
from tests.support.python.accelerators import asks, conda, gpu, wheel

RUNTIME = wheel("nvidia-cuda-runtime-cu12", "12.8.90")
CUDNN = wheel("nvidia-cudnn-cu12", "9.10.2.21")
TORCH = wheel("torch", "2.10.0", "nvidia-cuda-runtime-cu12", "nvidia-cudnn-cu12")


def test_a_lock_that_answers_has_nothing_to_be_said() -> None:
    spec = gpu("12.8", "9.10", ">=570.26")
    assert check_locked([TORCH, RUNTIME, CUDNN], [], spec) == ()
    assert locked_accelerator([TORCH, RUNTIME, CUDNN], [], spec) == Accelerator(
        cuda="12.8", cudnn="9.10.2.21", driver=">=570.26"
    )


def test_conda_answers_as_well() -> None:
    packages = [conda("cuda-version", "12.4"), conda("cudnn", "9.3.0.75")]
    assert check_locked([], packages, gpu("12.4", "9.3")) == ()
    assert locked_accelerator([], packages, gpu("12.4")).cudnn == "9.3.0.75"


@pytest.mark.parametrize(
    ("pip", "packages", "said"),
    [
        ([wheel("nvidia-cuda-runtime", "13.0.96")], [], "pip's nvidia-cuda-runtime 13.0.96 is"),
        ([wheel("nvidia-cuda-runtime-cu12", "12.6.77")], [], "12.6.77 is CUDA 12.6.77"),
        ([], [conda("cuda-version", "12.9")], "conda's cuda-version 12.9 is CUDA 12.9"),
        ([], [conda("cudatoolkit", "11.8.0")], "conda's cudatoolkit 11.8.0"),
    ],
)
def test_another_cuda_is_refused(
    pip: list[PipPackage], packages: list[CondaPackage], said: str
) -> None:
    with pytest.raises(ResolveError, match="another CUDA was resolved") as caught:
        check_locked(pip, packages, gpu("12.8"))
    assert said in str(caught.value)
    assert str(caught.value.where) == "freeze.yaml (accelerator.cuda)"


def test_another_cudnn_is_refused() -> None:
    with pytest.raises(ResolveError, match="another cuDNN was resolved") as caught:
        check_locked([RUNTIME, CUDNN], [], gpu("12.8", "9.1"))
    assert caught.value.details == ("pip's nvidia-cudnn-cu12 9.10.2.21",)


def test_a_driver_floor_that_is_too_low_names_the_driver_that_would_do() -> None:
    (said,) = check_locked([RUNTIME], [], gpu("12.8", driver=">=550.54.14"))
    assert said.startswith("accelerator.driver >=550.54.14 is too low: driver 550.54.14 runs CUDA")
    assert said.endswith("570.26 carries all of it")
    (worse,) = check_locked([RUNTIME], [], gpu("12.8", driver=">=470"))
    assert "too old for CUDA 12.8: 570.26 carries it" in worse


def test_what_nothing_brings_is_said() -> None:
    (cuda, cudnn) = check_locked([], [], gpu("12.8", "9"))
    assert "no package contains its runtime" in cuda
    assert cudnn == "cuDNN 9 is requested, but no package contains it"


def test_parts_of_another_release_are_said() -> None:
    pip = [wheel("cuda-toolkit", "13.0.3.0"), wheel("nvidia-nvjitlink", "13.5.37")]
    assert check_locked(pip, [], gpu("13.0")) == (
        "nvidia-nvjitlink 13.5.37 is from another CUDA release than 13.0",
    )


def test_cuda_from_two_worlds_is_said() -> None:
    packages = [conda("cuda-version", "12.8"), conda("libcudnn", "9.11.0.98")]
    said = check_locked([TORCH, RUNTIME, CUDNN], packages, gpu("12.8"))
    assert [text.partition(",")[0] for text in said] == ["two CUDA runtimes", "two cuDNNs"]


@pytest.mark.parametrize(
    ("pip", "ask"),
    [
        ([wheel("torch", "2.13.0+cpu")], "torch from an index that has CUDA builds of it"),
        (
            [wheel("torch", "2.13.0+cpu", requested=True)],
            "torch from an index that has CUDA builds of it",
        ),
        ([wheel("torch", "2.13.0", "sympy")], "torch from an index that has CUDA builds of it"),
        ([wheel("jaxlib", "0.10.2"), wheel("flax")], "jax[cuda12]"),
        ([wheel("jaxlib", "0.10.2"), wheel("nvidia-nccl-cu13")], "jax[cuda13]"),
        ([wheel("tensorflow", "2.21.0")], "tensorflow[and-cuda]"),
        ([wheel("tensorflow-cpu", "2.21.0")], "tensorflow[and-cuda]"),
        ([wheel("xgboost-cpu", "3.2.0")], "xgboost"),
    ],
)
def test_cpu_wheels_that_nobody_asked_for_name_what_to_ask_for(
    pip: list[PipPackage], ask: str
) -> None:
    with pytest.raises(ResolveError, match="compute on the CPU") as caught:
        require_gpu_wheels(pip, [])
    assert caught.value.hint == f"request {ask}"


@pytest.mark.parametrize(
    "pip",
    [
        [wheel("xgboost-cpu", "3.2.0", requested=True)],
        [wheel("torch", "2.10.0+cu128")],
        [wheel("torch", "2.13.0", "cuda-toolkit")],
        [wheel("jaxlib", "0.10.2"), wheel("jax-cuda12-plugin", "0.10.2")],
        [wheel("tensorflow", "2.21.0"), CUDNN],
        [wheel("xgboost", "3.2.0")],
        [wheel("numpy", "2.2.0")],
    ],
)
def test_what_is_a_gpu_build_or_was_chosen_passes(pip: list[PipPackage]) -> None:
    require_gpu_wheels(pip, [])


def test_a_cpu_build_of_torch_is_the_users_to_name_by_its_version() -> None:
    pip = [wheel("torch", "2.13.0+cpu", requested=True)]
    require_gpu_wheels(pip, [], asks("torch==2.13.0+cpu"))
    for text in ("torch", "torch==2.13.0", "torch==2.13.*", "torch>=2.13"):
        with pytest.raises(ResolveError, match="compute on the CPU"):
            require_gpu_wheels(pip, [], asks(text))


def test_tensorflow_may_take_its_cudnn_from_conda() -> None:
    require_gpu_wheels([wheel("tensorflow", "2.21.0")], [conda("cudnn", "9.3.0.75")])


def test_lightgbm_has_no_cuda_wheels_and_that_is_said() -> None:
    (said,) = check_locked([RUNTIME, wheel("lightgbm", "4.7.0")], [], gpu("12.8"))
    assert "allow-sdist: [lightgbm]" in said
