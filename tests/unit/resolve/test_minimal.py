"""Moving no package that could have stayed, against every answer there is to a small index."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from freezer.resolve.minimal import least_moved

NAMES = ("a", "b", "c", "d", "e")
VERSIONS = (1, 2, 3)
Pins = dict[str, int]
Index = dict[tuple[str, int], dict[str, frozenset[int]]]
"""Package and version to what it needs, and which versions of it would do."""


@st.composite
def indexes(draw: st.DrawFn) -> Index:
    wants = st.dictionaries(
        st.sampled_from(NAMES), st.frozensets(st.sampled_from(VERSIONS), min_size=1), max_size=2
    )
    return {(name, version): draw(wants) for name in NAMES for version in VERSIONS}


def closure(index: Index, pins: Pins, top: str = "a") -> Pins | None:
    """Return what is installed of those pins; None where they do not fit together."""
    found: Pins = {}
    todo = [top]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found[name] = pins[name]
        for needed, would_do in index[name, pins[name]].items():
            if pins[needed] not in would_do:
                return None
            todo.append(needed)
    return found


def answers(index: Index) -> list[Pins]:
    every = (dict(zip(NAMES, pins, strict=True)) for pins in itertools.product(VERSIONS, repeat=5))
    found = (closure(index, pins) for pins in every)
    return list({tuple(sorted(one.items())): one for one in found if one is not None}.values())


def fits(answer: Pins, old: Pins, held: frozenset[str]) -> bool:
    return all(answer.get(name, old[name]) == old[name] for name in held)


@given(indexes(), st.randoms(use_true_random=False))
def test_no_package_moves_that_need_not(index: Index, chance: object) -> None:
    found = answers(index)
    chance.shuffle(found)  # type: ignore[attr-defined]
    if not found:
        return
    old, target = found[0], found[-1]
    others = [name for name in old if name != "a"]
    allowed = [one for one in found if one["a"] == target["a"]]
    calls = []

    def solve(held: frozenset[str]) -> Pins | None:
        calls.append(held)
        return next((one for one in allowed if fits(one, old, held)), None)

    def stays(answer: Pins) -> frozenset[str]:
        return frozenset(name for name in others if answer.get(name, old[name]) == old[name])

    result = least_moved(allowed[-1], others, solve=solve, stays=stays)
    assert result in allowed
    kept = stays(result)
    for name in set(others) - kept:
        assert not any(fits(one, old, kept | {name}) for one in allowed), name
    assert stays(allowed[-1]) <= kept
    assert len(calls) == len(set(calls))


@given(st.integers(1, 64), st.sets(st.integers(0, 63), max_size=4))
def test_few_questions(count: int, forced: set[int]) -> None:
    """Of n packages that moved k had to: the number of questions grows with k, not with n."""
    names = [f"p{number:02}" for number in range(count)]
    must = frozenset(f"p{number:02}" for number in forced if number < count)
    calls = 0

    def solve(held: frozenset[str]) -> frozenset[str] | None:
        nonlocal calls
        calls += 1
        return None if held & must else held

    result = least_moved(frozenset(), names, solve=solve, stays=lambda answer: answer)
    assert result == frozenset(names) - must
    assert calls <= 1 + 2 * len(must) * (1 + math.ceil(math.log2(count)))


def test_nothing_is_asked_where_nothing_moved() -> None:
    def solve(held: frozenset[str]) -> None:
        raise AssertionError(held)

    assert (
        least_moved("as it was", ["a"], solve=solve, stays=lambda _: frozenset("a")) == "as it was"
    )
