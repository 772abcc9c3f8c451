"""Random small indexes, and every answer that there is to one: what a resolver is compared with."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

NAMES = ("a", "b", "c", "d", "e")
"""All are needed by ``a``, or by what it needs, or not at all."""
VERSIONS = (1, 2, 3)
Pins = dict[str, int]
Index = dict[tuple[str, int], dict[str, frozenset[int]]]
"""Package and version to what it needs, and which versions of it would do."""


@st.composite
def indexes(draw: st.DrawFn) -> Index:
    """Return any index at all."""
    wants = st.dictionaries(
        st.sampled_from(NAMES), st.frozensets(st.sampled_from(VERSIONS), min_size=1), max_size=2
    )
    return {(name, version): draw(wants) for name in NAMES for version in VERSIONS}


def tight_index(chance: Random) -> Index:
    """Return an index in which versions that belong together need each other, as real ones do.

    All first versions fit together, and so do all second and all third ones.
    """
    found: Index = {}
    for place, name in enumerate(NAMES):
        later = NAMES[place + 1 :]
        needed = chance.sample(later, min(len(later), 3 if name == "a" else chance.randint(1, 2)))
        for version in VERSIONS:
            others = [one for one in VERSIONS if one != version and chance.random() < 0.4]
            found[name, version] = {one: frozenset({version, *others}) for one in needed}
    return found


def answers(index: Index) -> list[Pins]:
    """Return every set of pins that has what ``a`` needs, and nothing else."""
    found: list[Pins] = []
    begun: list[Pins] = [{"a": version} for version in VERSIONS]
    while begun:
        pins = begun.pop()
        wanted = [item for one in pins.items() for item in index[one].items()]
        if any(pins[name] not in would_do for name, would_do in wanted if name in pins):
            continue
        missing = next((name for name, _ in wanted if name not in pins), None)
        if missing is None:
            found.append(pins)
        else:
            begun += [{**pins, missing: version} for version in VERSIONS]
    return found


def fits(answer: Pins, old: Pins, held: frozenset[str]) -> bool:
    """Say whether an answer leaves packages as they were; what is gone has not moved."""
    return all(answer.get(name, old[name]) == old[name] for name in held)


def stayed(answer: Pins, old: Pins, but: str) -> frozenset[str]:
    """Return what an answer leaves as it was, apart from one package."""
    return frozenset(name for name in old if name != but and fits(answer, old, frozenset({name})))


def needs(index: Index, pins: Pins) -> dict[str, tuple[str, ...]]:
    """Return what each package of an answer needs."""
    return {name: tuple(sorted(index[name, version])) for name, version in pins.items()}


def needing(index: Index, pins: Pins, wanted: str) -> set[str]:
    """Return what needs a package, itself or by what it needs."""
    found = {wanted}
    for _ in NAMES:
        found |= {name for name, needed in needs(index, pins).items() if found & set(needed)}
    return found - {wanted}


def require_minimal(index: Index, old: Pins, named: str, result: Pins) -> None:
    """Demand of an update of one package that it goes as far as it can, and moves no other in vain.

    What needs it is not to become older for its sake.
    """
    floors = needing(index, old, named)
    every = [one for one in answers(index) if all(one.get(n, old[n]) >= old[n] for n in floors)]
    assert result in every
    if named in result:
        furthest = max(one[named] for one in every if named in one)
        assert result[named] == furthest, "it could have gone further"
    kept = stayed(result, old, named)
    there = [one for one in every if one.get(named) == result.get(named)]
    for name in old.keys() - kept - {named}:
        assert not any(fits(one, old, kept | {name}) for one in there), f"{name} could have stayed"
