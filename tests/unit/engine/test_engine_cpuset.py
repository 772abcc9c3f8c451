"""A container gets as many CPUs as it asked for, and idle ones first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.engine.run.cpuset import available_in, choose, parse
from freezer.errors import EngineError


@given(st.sets(st.integers(0, 63), min_size=1), st.data())
def test_just_so_many_of_the_available_ones(available: set[int], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(available)))
    taken = data.draw(st.lists(st.sampled_from(["0", "1-3", "2,5", ""])))
    chosen = parse(choose(count, available, taken))
    assert len(set(chosen)) == count
    assert set(chosen) <= available
    assert chosen == sorted(chosen)


def test_those_that_others_use_come_last() -> None:
    assert choose(1, range(4), ["0", "1"]) == "2"
    assert choose(2, range(4), ["0-2"]) == "0,3"
    assert choose(1, range(2), ["0", "0", "1"]) == "1"


def test_too_few_is_an_error() -> None:
    with pytest.raises(EngineError, match="8 CPUs, but the engine has 2") as raised:
        choose(8, range(2))
    assert "smoke.cpus" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("text", "cpus"), [("", []), ("3", [3]), ("0-2", [0, 1, 2]), ("0,2-3,8", [0, 2, 3, 8])]
)
def test_cpu_lists_are_read(text: str, cpus: list[int]) -> None:
    assert parse(text) == cpus


def test_an_engine_s_refusal_says_which_there_are() -> None:
    said = "Requested CPUs are not available - requested 0-1, available: 4-5,9"
    assert available_in(said) == [4, 5, 9]
    assert available_in("no such image") == []
