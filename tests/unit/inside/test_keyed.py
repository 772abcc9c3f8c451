"""Splits and augmentations that hang on a sample's key alone."""

import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.inside.freezer_inside import augmentation, key_seed, split

INSIDE = Path(__file__).parents[3] / "freezer" / "inside"
PARTS = {"train": 0.8, "validation": 0.1, "test": 0.1}
KEYS = st.one_of(st.text(), st.integers())


@pytest.mark.process
def test_a_key_has_the_same_seed_in_every_process_and_version():
    assert key_seed(1234, 0, "image-17.png") == 4275163301450179549
    code = "from freezer_inside import key_seed; print(key_seed(1234, 0, 'image-17.png'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(INSIDE), "PYTHONHASHSEED": "77"},
        capture_output=True,
        check=True,
    )
    assert int(done.stdout) == key_seed(1234, 0, "image-17.png")


@given(st.lists(KEYS, max_size=4), st.lists(KEYS, max_size=4))
def test_other_keys_have_other_seeds_that_every_generator_takes(one, other):
    assert (key_seed(*one) == key_seed(*other)) is (
        [(type(part), part) for part in one] == [(type(part), part) for part in other]
    )
    assert 0 <= key_seed(*one) < 2**63


@pytest.mark.parametrize("part", [1.5, None, True, ("a",), b"a"])
def test_a_part_whose_text_may_change_is_refused(part):
    with pytest.raises(TypeError, match=f"not of {type(part).__name__}"):
        key_seed(part)


def test_a_split_has_its_shares():
    counted = Counter(split(key, PARTS) for key in range(10_000))
    assert {name: round(count / 1000) for name, count in counted.items()} == {
        "train": 8,
        "validation": 1,
        "test": 1,
    }


def test_another_salt_is_another_split():
    other = [split(key, PARTS, salt="second") for key in range(100)]
    assert other != [split(key, PARTS) for key in range(100)]


@given(KEYS)
def test_a_sample_changes_its_part_only_into_what_grew(key):
    before, after = split(key, PARTS), split(key, {"train": 0.9, "validation": 0, "test": 0.1})
    assert after == before or (before, after) == ("validation", "train")


@pytest.mark.parametrize(
    "shares", [{"a": 0.5}, {"a": 0.7, "b": 0.7}, {"a": 1.5, "b": -0.5}, {"a": Fraction(1, 3)}]
)
def test_shares_that_are_no_whole_are_refused(shares):
    with pytest.raises(ValueError, match="must add up to one"):
        split("x", shares)


def test_thirds_are_taken_as_meant():
    assert split("x", {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}) in "abc"


def test_an_augmentation_hangs_on_seed_epoch_and_sample():
    drawn = [augmentation(*key).random() for key in ((1, 0, 5), (1, 0, 5), (1, 1, 5), (1, 0, "5"))]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 3
