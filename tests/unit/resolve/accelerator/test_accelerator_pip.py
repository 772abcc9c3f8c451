"""What `accelerator:` asks of pip: torch, NVIDIA's wheels, and what is no choice at all."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from freezer.errors import ResolveError, SpecError
from freezer.resolve.accelerator import torch_wheels
from freezer.resolve.accelerator.pip import pip_rules
from tests.support.python.accelerators import asks, gpu

OFFERED = ["1.12.1", "2.5.1", "2.7.1", "2.10.0", "2.13.0", "2.13.0+cpu", "2.15.0"]
TOOLKIT_13 = (
    [
        "nvidia-cublas==13.1.0.3.*; (sys_platform == 'linux') and extra == 'cublas'",
        "nvidia-cuda-runtime==13.0.96.*; extra == 'cudart'",
        "nvidia-nvjitlink<14,>=13.0.88; extra == 'nvjitlink'",
        "not a requirement at all",
    ],
    ["nvidia-cublas==13.0.0.19.*; extra == 'cublas'", "evil==1.0"],
)


def rules(spec: object, *asked: str, **more: object) -> dict[str, SpecifierSet]:
    found = pip_rules(spec, asks(*asked), **more).constraints  # type: ignore[arg-type]
    assert len({item.name for item in found}) <= len(found)
    merged: dict[str, SpecifierSet] = {}
    for item in found:
        merged[item.name] = merged.get(item.name, SpecifierSet()) & item.requirement.specifier
    return merged


def test_torch_is_held_to_the_releases_whose_wheels_carry_the_cuda() -> None:
    torch = rules(gpu("12.8"), "torch", torch=OFFERED)["torch"]
    assert [v for v in OFFERED if torch.contains(v)] == ["2.10.0"]


def test_local_cpu_builds_within_the_range_are_shut_out() -> None:
    torch = rules(gpu("13.0"), "torch", torch=OFFERED)["torch"]
    assert [v for v in OFFERED if torch.contains(v)] == ["2.13.0"]


def test_a_local_build_of_the_cuda_on_the_users_index_is_taken() -> None:
    offered = [*OFFERED, "2.10.0+cu126", "2.10.0+cu128"]
    assert str(rules(gpu("12.6"), "torch>=2.8", torch=offered)["torch"]) == "==2.10.0+cu126"
    # Another of the user's requirements decides which.
    assert rules(gpu("12.6"), "torch<2.8", torch=offered)["torch"] == SpecifierSet(">=2.7,<2.8")


def test_an_impossible_torch_names_both_ways_out() -> None:
    with pytest.raises(ResolveError) as caught:
        rules(gpu("12.4"), "torch==2.13.0", torch=OFFERED)
    assert str(caught.value) == (
        "freeze.yaml (pip.requirements[0]): no requested version of torch has CUDA 12.4\n"
        "  found:    torch 2.13.0: CUDA 13.0 and cuDNN 9.20.0.48\n"
        "  expected: torch 2.5 to 2.6, whose wheels are built for CUDA 12.4\n"
        "  next:     request torch 2.5.1; or set accelerator.cuda to 13.0; or add an index that "
        "has torch 2.13.0+cu124"
    )


def test_the_pin_alone_decides_where_no_index_can_be_asked() -> None:
    with pytest.raises(ResolveError, match=r"has CUDA 12\.4"):
        rules(gpu("12.4"), "torch==2.13.0")
    assert "torch" not in rules(gpu("12.4"), "torch>=2.13")


def test_a_cuda_that_no_torch_carries_names_those_that_do() -> None:
    with pytest.raises(ResolveError) as caught:
        rules(gpu("12.2"), "torch", torch=OFFERED)
    assert caught.value.expected == (
        "CUDA 12.1 (torch 2.1 to 2.4), 12.4 (torch 2.5 to 2.6), 12.6 (torch 2.7), "
        "12.8 (torch 2.8 to 2.10)"
    )


def test_a_cpu_build_that_the_user_names_is_theirs() -> None:
    assert "torch" not in rules(gpu("13.0"), "torch==2.13.0+cpu", torch=OFFERED)


def test_where_there_are_cpu_builds_alone_that_is_said() -> None:
    with pytest.raises(ResolveError) as caught:
        rules(gpu("13.0"), "torch>=2.13", torch=["2.13.0+cpu"])
    assert caught.value.found == "torch 2.13.0+cpu: a CPU build"


def test_a_cudnn_that_torch_does_not_carry() -> None:
    with pytest.raises(ResolveError, match=r"CUDA 13\.0 and cuDNN 9\.19") as caught:
        rules(gpu("13.0", "9.19"), "torch==2.13.0", torch=OFFERED)
    assert caught.value.found == "torch 2.13.0: CUDA 13.0 and cuDNN 9.20.0.48"
    assert caught.value.expected == "cuDNN 9.20.0.48 on CUDA 13.0"
    assert caught.value.hint == (
        "set accelerator.cudnn to 9.20.0.48, or remove it; or request torch 2.11 (CUDA 13.0, "
        "cuDNN 9.19.0.56)"
    )
    assert "torch" in rules(gpu("13.0", "9.20"), "torch==2.13.0", torch=OFFERED)


def test_torch_that_only_others_need_is_held_too_and_never_refused() -> None:
    torch = rules(gpu("12.8"), "lightning", torch=OFFERED)["torch"]
    assert torch.contains("2.10.0")
    assert not torch.contains("2.13.0")
    assert "torch" not in rules(gpu("12.2"), "lightning", torch=OFFERED)


def test_a_torch_younger_than_the_table_is_left_to_its_own_metadata() -> None:
    assert "torch" not in rules(gpu("13.4"), "torch", torch=["2.15.0", "2.17.0"])


def test_nvidias_wheels_are_held_to_the_toolkits_of_one_cuda() -> None:
    found = rules(gpu("13.0"), toolkits=TOOLKIT_13)
    assert found["nvidia-cublas"] == SpecifierSet(">=13.0.0.19,<13.1.0.4")
    assert found["nvidia-cublas"].contains("13.1.0.3")
    assert found["nvidia-cuda-runtime"] == SpecifierSet(">=13.0.96,<13.0.97")
    assert found["nvidia-nvjitlink"] == SpecifierSet("==13.0.*")
    assert found["cuda-toolkit"] == SpecifierSet("==13.0.*")
    assert "evil" not in found


def test_without_the_toolkits_lists_the_wheels_numbered_as_cuda_are_held() -> None:
    found = rules(gpu("12.4", "9.1"))
    assert found["nvidia-nvjitlink-cu12"] == SpecifierSet("==12.4.*")
    assert found["nvidia-cudnn-cu12"] == SpecifierSet("==9.1.*")
    assert "nvidia-cublas-cu12" not in found


def test_a_cudnn_of_another_cuda_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(SpecError) as caught:
        rules(gpu("13.0", "9.1"))
    assert caught.value.expected == "cuDNN 9.12 and newer"


def test_the_table_of_torch_is_in_order_and_each_cuda_is_one_run() -> None:
    numbers = [tuple(map(int, item.series.split("."))) for item in torch_wheels.torch_wheels()]
    assert numbers == sorted(set(numbers))
    for cuda in {item.cuda for item in torch_wheels.torch_wheels()}:
        span = SpecifierSet(torch_wheels.torch_range(cuda) or "")
        inside = {
            item.cuda for item in torch_wheels.torch_wheels() if span.contains(f"{item.series}.0")
        }
        assert inside == {cuda}


@pytest.mark.parametrize(
    ("version", "cuda"),
    [
        ("2.8.0", "12.8"),
        ("2.8.0+cu126", "12.6"),
        ("1.12.1+cu116", "11.6"),
        ("2.8.0+cpu", "cpu"),
        ("2.8.0+cpu.cxx11.abi", "cpu"),
        ("2.8.0+rocm6.4", "cpu"),
        ("1.12.1", None),
        ("2.16.0", None),
    ],
)
def test_the_cuda_of_a_torch(version: str, cuda: str | None) -> None:
    assert torch_wheels.cuda_of_torch(version) == cuda
