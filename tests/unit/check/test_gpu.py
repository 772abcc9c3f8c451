"""Drivers and GPUs held against a lock, by what ``nvidia-smi`` prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.check import gpu
from freezer.check.gpu import Gpu, ask_driver, demand_driver, parse_gpus
from freezer.errors import HostError
from freezer.model.lock import Accelerator

H100 = "550.54.15, 9.0, NVIDIA H100 80GB HBM3\n"
LOCKED = Accelerator(cuda="12.4", cudnn="9.1.0.70")


def demand(text: str | None, locked: Accelerator = LOCKED) -> tuple[str, ...]:
    return demand_driver(locked, lambda: text)


def test_gpus_are_read_from_the_listing() -> None:
    text = f"{H100}535.104.05, 8.6, NVIDIA RTX A6000\n"
    assert parse_gpus(text) == [
        Gpu("550.54.15", "9.0", "NVIDIA H100 80GB HBM3"),
        Gpu("535.104.05", "8.6", "NVIDIA RTX A6000"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No devices were found\n",
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
        "driver_version, compute_cap, name\n",
        "[N/A], [N/A], [N/A]\n",
        "550,\n",
        '"unclosed, 1, 2\n',
    ],
)
def test_what_is_no_gpu_is_passed_over(text: str) -> None:
    assert parse_gpus(text) == []


def test_an_old_driver_that_does_not_tell_the_capability() -> None:
    assert parse_gpus("470.82.01, [N/A], Tesla T4\n") == [Gpu("470.82.01", "", "Tesla T4")]


def test_a_driver_that_carries_all_says_nothing() -> None:
    assert demand(H100) == ()


def test_a_driver_that_is_too_old_is_refused_with_one_that_would_do() -> None:
    with pytest.raises(HostError) as caught:
        demand("470.82.01, 8.6, NVIDIA RTX A6000\n")
    assert caught.value.found == (
        "driver 470.82.01 is too old for CUDA 12.4: 550.54.14 carries it, 525.60.13 runs it by "
        "minor-version compatibility"
    )
    assert caught.value.expected == "driver 550.54.14 or newer"


def test_minor_version_compatibility_is_a_warning() -> None:
    (said,) = demand("535.104.05, 9.0, NVIDIA H100\n")
    assert "minor-version compatibility only" in said


def test_the_declared_floor_holds_too() -> None:
    locked = Accelerator(cuda="12.4", driver=">=555.42.02")
    with pytest.raises(HostError) as caught:
        demand(H100, locked)
    assert caught.value.found == "driver 550.54.15: the lock wants at least 555.42.02"
    assert caught.value.expected == "driver 555.42.02 or newer"


def test_cudnn_wants_a_newer_driver_for_blackwell() -> None:
    locked = Accelerator(cuda="12.8", cudnn="9.10.2.21")
    assert demand("560.35.05, 9.0, NVIDIA H100\n", locked) != ()
    with pytest.raises(HostError) as caught:
        demand("560.35.05, 10.0, NVIDIA B200\n", locked)
    assert caught.value.expected == "driver 570.26 or newer"


def test_a_gpu_that_the_cuda_does_not_know_is_refused() -> None:
    with pytest.raises(HostError) as caught:
        demand("580.65.06, 7.0, Tesla V100\n", Accelerator(cuda="13.0"))
    assert caught.value.expected == "a CUDA from 11.0 to 12.9"
    with pytest.raises(HostError):
        demand(f"{H100}550.54.15, 12.0, NVIDIA RTX 5090\n")


def test_two_gpus_of_one_driver_are_one_warning() -> None:
    assert len(demand("535.104.05, 9.0, NVIDIA H100\n" * 8)) == 1


@pytest.mark.parametrize("text", [None, "No devices were found\n"])
def test_a_host_without_a_driver_is_not_refused(text: str | None) -> None:
    (said,) = demand(text)
    assert "no NVIDIA driver" in said


@pytest.mark.parametrize(("body", "said"), [("echo 1, 2, 3", "1, 2, 3\n"), ("exit 9", None)])
def test_the_program_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str | None
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr(gpu, "COMMAND", (str(program), *gpu.COMMAND[1:]))
    assert ask_driver() == said


def test_a_host_without_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "COMMAND", (str(tmp_path / "none"),))
    assert ask_driver() is None
