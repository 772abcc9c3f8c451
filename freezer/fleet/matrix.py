"""Hosts by environment and numerics class, and what separates those that disagree. Pure.

A majority is not called right: the reference decides. A factor separates the hosts of a class when
no value of it occurs on both sides.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.fleet.state import State
    from freezer.model.record.verdict import Difference

UNKNOWN_CLASS: Final = "unknown"
"""The class of hosts that did not report theirs."""
_FIRST: Final = ("microcode", "gpu driver_version", "kernel", "blas-kernels", "flags")
"""Factors that are named before others."""
_MOST_VALUES: Final = 4


@dataclass(frozen=True, kw_only=True)
class Row:
    """One host and one environment."""

    host: str
    environment: str
    state: State
    class_: str = ""
    fingerprint: str = ""
    """Of everything computed: equal ones are equal to the bit."""
    facts: Mapping[str, str] = field(default_factory=dict)
    runtime: str = ""
    seconds: float = 0.0
    job: str = ""
    attempt: int = 0
    difference: Difference | None = None
    """The first one, of the first training that differs."""
    causes: tuple[str, ...] = ()
    """Why the results differ, likeliest first, as far as the two records tell."""


@dataclass(frozen=True)
class Factor:
    """A fact whose values on the hosts with other results occur on none of the good ones."""

    name: str
    good: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The hosts of one numerics class for one environment."""

    environment: str
    class_: str
    rows: tuple[Row, ...]
    factors: tuple[Factor, ...] = ()
    """What separates the hosts whose results differ from those that have the expected ones."""

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of hosts in each state, most frequent first."""
        return dict(Counter(row.state.title for row in self.rows).most_common())

    @property
    def good(self) -> bool:
        """Whether every host of the group is good."""
        return all(row.state.good for row in self.rows)

    @property
    def results(self) -> int:
        """The number of different results, to the bit."""
        return len({row.fingerprint for row in self.rows if row.fingerprint})


def groups(rows: Iterable[Row]) -> list[Group]:
    """Return the rows by environment and class; hosts without a class come last."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.environment, row.class_ or UNKNOWN_CLASS), []).append(row)
    ordered = sorted(found.items(), key=lambda one: (one[0][0], one[0][1] == UNKNOWN_CLASS, one[0]))
    return [
        Group(environment=name, class_=class_, rows=tuple(some), factors=separating(some))
        for (name, class_), some in ordered
    ]


def separating(rows: Sequence[Row]) -> tuple[Factor, ...]:
    """Return the facts that separate hosts with bad results from good ones.

    Without a good host those with the most frequent result are compared with the others, which
    says nothing about who is right.
    """
    known = [row for row in rows if row.fingerprint]
    good = [row for row in known if row.state.good]
    others = [row for row in known if not row.state.good]
    if not good and known:
        common = Counter(row.fingerprint for row in known).most_common(1)[0][0]
        good = [row for row in known if row.fingerprint == common]
        others = [row for row in known if row.fingerprint != common]
    if not good or not others:
        return ()
    names = {name for row in known for name in row.facts}
    made = (_factor(name, good, others) for name in sorted(names, key=_rank))
    return tuple(one for one in made if one is not None)


def _rank(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _factor(name: str, good: Sequence[Row], others: Sequence[Row]) -> Factor | None:
    left = {row.facts.get(name, "not reported") for row in good}
    right = {row.facts.get(name, "not reported") for row in others}
    if left & right:
        return None
    if name == "flags":
        return _flags(left, right)
    return Factor(name, _some(left), _some(right))


def _flags(left: set[str], right: set[str]) -> Factor | None:
    """Return the CPU flags that all of one side have and none of the other."""
    one, other = ([set(value.split()) for value in side] for side in (left, right))
    only_one = set[str].intersection(*one) - set[str]().union(*other)
    only_other = set[str].intersection(*other) - set[str]().union(*one)
    if not only_one and not only_other:
        return None
    return Factor(
        "flags", *(tuple(sorted(some)[:12]) or ("without",) for some in (only_one, only_other))
    )


def _some(values: set[str]) -> tuple[str, ...]:
    listed = sorted(values)
    rest = len(listed) - _MOST_VALUES
    return tuple(listed[:_MOST_VALUES] + ([f"and {rest} more"] if rest > 0 else []))


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """Return the number of rows in each state, most frequent first."""
    return dict(Counter(row.state.title for row in rows).most_common())


def row_document(row: Row) -> dict[str, Any]:
    """Return a row as plain values."""
    first = row.difference
    return {
        "host": row.host,
        "environment": row.environment,
        "state": row.state.word.value if row.state.word else "not checked",
        "cause": row.state.cause.value if row.state.cause else None,
        "reason": row.state.reason,
        "class": row.class_,
        "result": row.fingerprint[:16],
        "runtime": row.runtime,
        "seconds": row.seconds,
        "job": row.job,
        "attempt": row.attempt,
        "first-difference": None
        if first is None
        else {
            "what": f"{first.training}: {first.what}",
            "expected": first.expected,
            "found": first.found,
        },
        "causes": list(row.causes),
        "facts": dict(row.facts),
    }
