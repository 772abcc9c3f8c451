"""The table of CUDA, drivers, cuDNN and GPUs, and the rules over it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import SpecError
from freezer.model import cuda


@pytest.mark.parametrize(
    ("toolkit", "driver", "floor"),
    [
        ("11.8", "520.61.05", "450.80.02"),
        ("12.4", "550.54.14", "525.60.13"),
        ("12.4.1", "550.54.14", "525.60.13"),
        ("13.0", "580.65.06", "580.65.06"),
    ],
)
def test_drivers_are_those_of_the_release_notes(toolkit: str, driver: str, floor: str) -> None:
    assert cuda.minimum_driver(toolkit) == driver
    assert cuda.driver_floor(toolkit) == floor


def test_within_a_major_version_drivers_only_rise() -> None:
    drivers = [cuda.number(item.driver) for item in cuda.TOOLKITS.values()]
    assert drivers == sorted(drivers)
    assert list(cuda.TOOLKITS) == sorted(cuda.TOOLKITS, key=cuda.number)


def test_versions_are_compared_as_numbers() -> None:
    assert cuda.number("550.54.14") < cuda.number("550.144.03")
    assert cuda.number("580") == cuda.number("580.0.0")
    assert cuda.number("9.9") < cuda.number("9.10.2")
    for text in ("", "550.", "550.54.14-1", ">=550", "5\u06650"):
        with pytest.raises(ValueError, match="not a version"):
            cuda.number(text)


def test_a_toolkit_that_never_was_names_its_neighbours() -> None:
    assert cuda.nearest_toolkits("12.7") == ("12.6", "12.8")
    assert cuda.nearest_toolkits("9.0") == ("11.0",)
    assert cuda.nearest_toolkits("99.0") == ("13.2",)
    with pytest.raises(SpecError, match=r"no CUDA 12\.7") as caught:
        cuda.checked("12.7")
    assert caught.value.hint == "the nearest that exist: 12.6 and 12.8"


def test_a_toolkit_younger_than_the_table_passes_with_a_lower_bound() -> None:
    assert cuda.checked("13.5") == "13.5"
    assert cuda.newer_than_known("13.5")
    assert not cuda.newer_than_known("12.7")
    assert cuda.minimum_driver("13.5") == "595.45.04"
    verdict = cuda.driver_carries("999.0", "13.5")
    assert verdict.runs
    assert not verdict.whole
    assert "at least 595.45.04" in verdict.sentence


def test_a_driver_carries_a_toolkit_wholly_or_in_part_or_not() -> None:
    whole = cuda.driver_carries("550.54.15", "12.4")
    assert (whole.runs, whole.whole) == (True, True)
    part = cuda.driver_carries("535.104.05", "12.4")
    assert (part.runs, part.whole, part.needed) == (True, False, "550.54.14")
    assert "minor-version compatibility only" in part.sentence
    none = cuda.driver_carries("470.82.01", "12.4")
    assert (none.runs, none.whole) == (False, False)
    assert none.sentence == (
        "driver 470.82.01 is too old for CUDA 12.4: 550.54.14 carries it, 525.60.13 runs it by "
        "minor-version compatibility"
    )


def test_what_a_driver_carries_is_the_newest_toolkit_below_it() -> None:
    assert cuda.cuda_of_driver("550.54.14") == "12.4"
    assert cuda.cuda_of_driver("565.57.01") == "12.6"
    assert cuda.cuda_of_driver("390.157") is None


@pytest.mark.parametrize(
    ("capability", "toolkit", "fits"),
    [
        ("9.0", "11.8", True),
        ("9.0", "11.7", False),
        ("3.5", "12.0", False),
        ("7.0", "12.9", True),
        ("7.0", "13.0", False),
        ("12.0", "12.8", True),
        ("12.0", "12.6", False),
        ("13.0", "13.9", True),
        ("7.0", "13.9", False),
    ],
)
def test_gpus_that_a_toolkit_knows(capability: str, toolkit: str, fits: bool) -> None:
    assert cuda.capability_supported(capability, toolkit) is fits


def test_toolkits_for_a_gpu() -> None:
    assert cuda.toolkits_for("7.0") == ("11.0", "12.9")
    assert cuda.toolkits_for("9.0") == ("11.8", "13.2")
    assert cuda.toolkits_for("2.1") is None


@pytest.mark.parametrize(
    ("cudnn", "toolkit", "fits"),
    [
        ("9", "12.4", True),
        ("9.1.0.70", "12.4", True),
        ("8.9.7", "13.0", False),
        ("9", "13.0", True),
        ("9.10.2", "13.0", False),
        ("9.0", "13.0", False),
        ("9.12.0", "13.0", True),
        ("9.10.2.21", "11.8", True),
        ("9.11.0", "11.8", False),
        ("10", "11.8", False),
        ("7.6.5", "12.0", False),
        ("9.1", "14.0", True),
    ],
)
def test_cudnn_is_built_for_majors_of_cuda(cudnn: str, toolkit: str, fits: bool) -> None:
    assert cuda.cudnn_fits(cudnn, toolkit) is fits


def test_cudnn_in_words() -> None:
    assert cuda.cudnn_range("11.8") == "8.0 to 9.10"
    assert cuda.cudnn_range("13.1") == "9.12 and newer"


def test_blackwell_wants_a_newer_driver_for_cudnn() -> None:
    assert cuda.cudnn_driver("9.10.2", "12.8") == "525.60.13"
    assert cuda.cudnn_driver("9.10.2", "12.8", "9.0") == "525.60.13"
    assert cuda.cudnn_driver("9.10.2", "12.8", "10.0") == "570.26"
    assert cuda.cudnn_driver("9.17.0", "13.0", "10.0") == "580.65.06"


@given(st.sampled_from(list(cuda.TOOLKITS)), st.lists(st.integers(0, 999), min_size=1, max_size=4))
def test_carrying_wholly_means_running_and_a_newer_driver_never_does_less(
    toolkit: str, parts: list[int]
) -> None:
    driver = ".".join(map(str, parts))
    verdict = cuda.driver_carries(driver, toolkit)
    newer = cuda.driver_carries(f"{parts[0] + 1}", toolkit)
    assert not verdict.whole or verdict.runs
    assert newer.runs >= verdict.runs
    assert newer.whole >= verdict.whole


def test_a_cudnn_of_another_cuda_names_both_ways_out() -> None:
    cuda.require_cudnn(None, "12.9")
    cuda.require_cudnn("9.10", "12.9")
    with pytest.raises(SpecError, match=r"no cuDNN 9\.1 for CUDA 13\.0") as caught:
        cuda.require_cudnn("9.1", "13.0")
    assert caught.value.expected == "cuDNN 9.12 and newer"
    assert str(caught.value.hint).endswith("; cuDNN 9.1 is there for CUDA 11 and 12")
    with pytest.raises(SpecError, match=r"no cuDNN 7") as caught:
        cuda.require_cudnn("7", "12.9")
    assert str(caught.value.hint).endswith("to use the framework's own")


def test_a_driver_below_the_first_of_its_series_is_told_of_one_that_would_do() -> None:
    assert cuda.driver_carries("530.30.02", "13.0").sentence == (
        "driver 530.30.02 is too old for CUDA 13.0: 580.65.06 carries it"
    )
    assert cuda.driver_carries("470.82.01", "12.9").sentence.endswith(
        "575.51.03 carries it, 525.60.13 runs it by minor-version compatibility"
    )
