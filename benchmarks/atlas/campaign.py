"""Measures a trial: the processes that its factors take, and the digests at each level."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from benchmarks.atlas.environments import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.atlas.environments import Environment
    from benchmarks.atlas.trial import Operation, Trial
    from freezer.frameworks.description import Factor

CALLS: Final = 3
"""Calls of each operation in one process."""
BASE: Final = Level()
LEVELS: Final[dict[Factor, tuple[tuple[str, Level], ...]]] = {
    "process": (("each", BASE), ("each", BASE), ("each", BASE)),
    "call": (("each", BASE),),
    "threads": (
        ("1", BASE),
        ("2", Level(threads=2)),
        ("4", Level(threads=4)),
        ("4", Level(threads=4)),
    ),
    "blas threads": (("1", BASE), ("2", Level(blas=2)), ("2", Level(blas=2))),
    "hash seed": (("0", BASE), ("1", Level(hash_seed="1")), ("2", Level(hash_seed="2"))),
}
"""The processes of each factor, with the level that they belong to. Equal ones are run once; four
threads on fewer cores still end in any order, and with two a + b = b + a hides it."""


@dataclass
class Measured:
    """What one factor gave for one operation of one version."""

    operation: Operation
    factor: Factor
    digests: dict[str, tuple[str, ...]]
    """Level to the different results there, in order of appearance."""
    relative: float | None = None
    """How far apart the sampled values are at most, over the largest of them."""
    setting: str | None = None
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def effect(self) -> str:
        """What the factor does to the bits."""
        return effect_of(self.digests)


def effect_of(digests: dict[str, tuple[str, ...]]) -> str:
    """Return ``same``, ``differs`` or ``varies``: `freezer.frameworks.description.Effect`."""
    if any(len(set(found)) > 1 for found in digests.values()):
        return "varies"
    return "differs" if len({found[0] for found in digests.values()}) > 1 else "same"


class TrialFailedError(Exception):
    """An operation that does not run, or whose seed does nothing."""


def measure(trial: Trial, environment: Environment, say: Callable[[str], None]) -> list[Measured]:
    """Return a row for each operation and factor. Raises ``TrialFailedError`` and ``RunError``."""
    operations = [one for one in trial.operations if set(one.factors) - {"version"}]
    runs = _Runs(trial, environment)
    plain = runs.of(operations, BASE, 0)
    for one in operations:
        _require_seeded(one, plain[one.name])
    found: list[Measured] = []
    for one in operations:
        rows = [_measured(one, factor, runs, operations, say) for factor in _factors(one)]
        restless = [row for row in rows if row.factor in ("process", "call")]
        if any(row.effect != "same" for row in restless):
            rows = restless  # what varies by itself says nothing of other factors
        found += rows
    for row in found:
        _settle(row, runs, operations)
    return found


def _factors(one: Operation) -> Iterator[Factor]:
    yield from (factor for factor in one.factors if factor in LEVELS)


def _require_seeded(one: Operation, found: dict[str, Any]) -> None:
    if "error" in found:
        raise TrialFailedError(f"{one.name} does not run: {found['error']}")
    if found.get("other-seed") in found["digests"]:
        raise TrialFailedError(f"{one.name}: another seed gives the same result")


class _Runs:
    """The processes of one trial, each run once, for all operations that need it."""

    def __init__(self, trial: Trial, environment: Environment) -> None:
        self._trial, self._environment = trial, environment
        self._known: dict[tuple[Level, int], dict[str, Any]] = {}

    def of(self, operations: Iterable[Operation], level: Level, number: int) -> dict[str, Any]:
        """Return what a process printed; ``number`` tells equal processes apart."""
        if (level, number) not in self._known:
            request = {
                "operations": [one.name for one in operations],
                "threads": level.threads,
                "calls": CALLS,
                "setting": level.setting,
                "seeds": (level, number) == (BASE, 0),
            }
            found = self._environment.run(self._trial.path, request, level)["operations"]
            if "error" in found:
                raise TrialFailedError(
                    f"{self._trial.path.name} cannot be loaded: {found['error']}"
                )
            self._known[level, number] = found
        return self._known[level, number]


def _measured(
    one: Operation,
    factor: Factor,
    runs: _Runs,
    operations: Iterable[Operation],
    say: Callable[[str], None] = lambda _: None,
    change: Callable[[Level], Level] = lambda level: level,
) -> Measured:
    digests: dict[str, dict[str, None]] = defaultdict(dict)
    samples: list[list[float]] = []
    numbers: dict[Level, int] = defaultdict(int)
    for name, level in LEVELS[factor]:
        changed = change(level)
        asked = [item for item in operations if _asks(item, factor, changed)]
        found = runs.of(asked, changed, numbers[changed])[one.name]
        numbers[changed] += 1
        if "error" in found:
            raise TrialFailedError(f"{one.name} does not run at {changed}: {found['error']}")
        results = found["digests"][:1] if factor == "process" else found["digests"]
        digests[name].update(dict.fromkeys(results))
        samples += found["samples"][: len(results)]
    row = Measured(
        one, factor, {name: tuple(found) for name, found in digests.items()}, _apart(samples)
    )
    say(f"  {one.title}: {factor}: {row.effect}")
    return row


def _asks(item: Operation, factor: Factor, level: Level) -> bool:
    """Say whether an operation is run in a process of a factor at a level."""
    if level.setting or level.variables:
        return (level.setting and "setting" in item.parameters) or (
            bool(level.variables) and item.variables == level.variables
        )
    return factor in item.factors or level == BASE


def _apart(samples: list[list[float]]) -> float | None:
    """Return the largest difference of sampled values over the largest value."""
    first = samples[0] if samples else []
    others = [item for item in samples[1:] if len(item) == len(first)]
    scale = max((abs(value) for value in first), default=0.0)
    if not others or not scale:
        return None
    return max(
        abs(one - two) / scale for other in others for one, two in zip(first, other, strict=True)
    )


def _settle(row: Measured, runs: _Runs, operations: Iterable[Operation]) -> None:
    """Note the setting that stops an effect, after it was measured in the same way."""
    if row.effect == "same":
        return
    one = row.operation
    if one.setting is not None:
        in_code = "setting" in one.parameters

        def change(level: Level) -> Level:
            more = () if in_code else one.variables
            return replace(level, setting=in_code, variables=more)

        if _measured(one, row.factor, runs, operations, change=change).effect == "same":
            row.setting, row.variables = one.setting, dict(one.variables)
            return
    row.setting, row.variables = _usual(row)


def _usual(row: Measured) -> tuple[str | None, dict[str, str]]:
    """Return what the measurement itself shows to stop it: a level that repeats."""
    if row.factor == "threads":
        return ("one thread" if row.effect == "varies" else "the same number of threads"), {}
    if row.factor == "blas threads":
        one = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        return (
            ("one BLAS thread", one)
            if row.effect == "varies"
            else (
                "the same number of BLAS threads",
                {},
            )
        )
    if row.factor == "hash seed":
        return "PYTHONHASHSEED=0", {"PYTHONHASHSEED": "0"}
    return None, {}
