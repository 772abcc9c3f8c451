"""Drivers and GPUs compared with a lock, by what NVML says, or else what ``nvidia-smi`` prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from freezer.check.gpu import NVML, Gpu, host_gpus, parse_nvml, parse_smi, require_driver
from freezer.errors import HostError
from freezer.model.lock import Accelerator

H100 = "550.54.15, 9.0, NVIDIA H100 80GB HBM3\n"
LOCKED = Accelerator(cuda="12.4", cudnn="9.1.0.70")


def demand(text: str, locked: Accelerator = LOCKED) -> tuple[str, ...]:
    return require_driver(locked, parse_smi(text))


def test_gpus_are_read_from_the_listing() -> None:
    text = f"{H100}535.104.05, 8.6, NVIDIA RTX A6000\n"
    assert parse_smi(text) == [
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
    assert parse_smi(text) == []


def test_an_old_driver_that_does_not_tell_the_capability() -> None:
    assert parse_smi("470.82.01, [N/A], Tesla T4\n") == [Gpu("470.82.01", "", "Tesla T4")]


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
    assert caught.value.found == "driver 550.54.15: the lock requires at least 555.42.02"
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


def test_a_host_without_a_driver_is_not_refused() -> None:
    (said,) = demand("No devices were found\n")
    assert "no visible NVIDIA driver" in said


@pytest.mark.parametrize(
    "text",
    ["null", "", "[", "{}", '[{"driver": "1"}]', '[{"driver": "?", "capability": "", "name": ""}]',
     '[{"driver": "1", "capability": "", "name": "", "more": ""}]'],
)  # fmt: skip
def test_what_nvml_did_not_tell_is_not_taken(text: str) -> None:
    assert not parse_nvml(text)


OLD = Gpu("470.82.01", "8.6", "NVIDIA RTX A6000")
NEW = Gpu("580.65.06", "9.0", "NVIDIA H100 80GB HBM3")


def library(*gpus: Gpu) -> tuple[str, ...]:
    """Return a program that says what NVML would."""
    told = json.dumps([gpu._asdict() for gpu in gpus])
    return (sys.executable, "-c", f"print({told!r})")


def program(folder: Path, *gpus: Gpu) -> tuple[str, ...]:
    """Return a ``nvidia-smi``."""
    path = folder / "nvidia-smi"
    lines = "".join(f"echo '{', '.join(gpu)}'\n" for gpu in gpus)
    path.write_text(f"#!/bin/sh\n{lines}")
    path.chmod(0o755)
    return (str(path),)


BROKEN = (sys.executable, "-c", "import os; os.abort()")


@pytest.mark.process
@pytest.mark.parametrize(
    ("nvml", "found"),
    [(library(NEW), (NEW,)), (library(), ()), (BROKEN, (OLD,)), (("/none",), (OLD,))],
)
def test_nvml_is_asked_first_and_the_program_where_it_does_not_answer(
    tmp_path: Path, nvml: Sequence[str], found: tuple[Gpu, ...]
) -> None:
    assert host_gpus(nvml, program(tmp_path, OLD)) == found


@pytest.mark.process
def test_a_host_without_both_has_no_gpus() -> None:
    assert host_gpus(BROKEN, ("/none",)) == ()
    assert host_gpus(NVML, (sys.executable, "-c", "raise SystemExit(9)")) == host_gpus(NVML, BROKEN)


@pytest.mark.process
def test_an_old_driver_is_refused_by_what_the_program_says(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="too old"):
        require_driver(LOCKED, host_gpus(BROKEN, program(tmp_path, OLD)))


def test_a_line_without_end_in_a_listing_is_read_in_part() -> None:
    [gpu] = parse_smi("570.124.06, 9.0, NVIDIA " + "A" * 200_000)
    assert len(gpu.name) < 1000
    assert parse_smi('"' * 200_001) == []


def test_a_listing_nested_without_end_is_no_listing() -> None:
    assert parse_nvml("[" * 100_000) is None
