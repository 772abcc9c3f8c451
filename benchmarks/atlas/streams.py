"""Between which releases the same seed gives other numbers: found by bisection over releases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from benchmarks.atlas.environments import Level, RunError, releases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.atlas.environments import Environment
    from benchmarks.atlas.trial import Trial

    Make = Callable[[str], Environment]

Results = dict[str, str | None]
"""Function of the trial to its digest; None where it does not run."""


@dataclass
class Streams:
    """The results of each release that was tried."""

    found: dict[str, Results] = field(default_factory=dict)
    """Version to results, in order of versions."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Versions that cannot be installed, and why."""
    environments: dict[str, Mapping[str, str]] = field(default_factory=dict)


def bisect(trial: Trial, make: Make, say: Callable[[str], None]) -> Streams:
    """Try the last release of each minor, then those between two whose results differ."""
    known = [item for item in releases(trial.package) if _from(trial, item)]
    result = Streams()
    _try(trial, make, minors(known), result, say)
    while waiting := between(known, result):
        _try(trial, make, waiting, result, say)
    result.found = {item: result.found[item] for item in known if item in result.found}
    _repeat(trial, make, result, say)
    return result


def _repeat(trial: Trial, make: Make, result: Streams, say: Callable[[str], None]) -> None:
    """Run the neighbours of each change again: a release that does not repeat has no stream."""
    again = Streams()
    _try(trial, make, beside_changes(result), again, lambda _: None)
    for version, found in again.found.items():
        for name, bits in found.items():
            if result.found[version][name] != bits:
                say(f"  {version}: {name} does not repeat")
                result.found[version][name] = None


def beside_changes(result: Streams) -> list[str]:
    """Return the releases whose results differ from those of a neighbour."""
    found = list(result.found.items())
    pairs = pairwise(found)
    return list(dict.fromkeys(name for a, b in pairs if a[1] != b[1] for name in (a[0], b[0])))


def _from(trial: Trial, version: str) -> bool:
    return trial.oldest is not None and Version(version) >= Version(trial.oldest)


def minors(known: Sequence[str]) -> list[str]:
    """Return the first of the releases, and the last one of each minor release."""
    last = {Version(item).release[:2]: item for item in known}
    return list(dict.fromkeys([*known[:1], *last.values()]))


def between(known: Sequence[str], result: Streams) -> list[str]:
    """Return the release in the middle of each pair of tried neighbours that differ."""
    usable = [item for item in known if item not in result.left_out]
    tried = [number for number, item in enumerate(usable) if item in result.found]
    found = []
    for low, high in pairwise(tried):
        if high - low > 1 and result.found[usable[low]] != result.found[usable[high]]:
            found.append(usable[(low + high) // 2])
    return found


def _try(
    trial: Trial, make: Make, versions: Sequence[str], result: Streams, say: Callable[[str], None]
) -> None:
    names = [one.name for one in trial.operations if "version" in one.factors]
    request = {"operations": names, "threads": 1, "calls": 2}

    def one(version: str) -> tuple[str, Any, Mapping[str, str]]:
        try:
            environment = make(version)
            found = environment.run(trial.path, request, Level())["operations"]
        except RunError as error:
            return version, str(error), {}
        return version, found, environment.installed

    with ThreadPoolExecutor(2) as pool:
        for version, found, installed in pool.map(one, versions):
            if isinstance(found, str) or "error" in found:
                reason = found if isinstance(found, str) else found["error"]
                result.left_out[version] = reason
                say(f"  {version}: left out: {reason.splitlines()[-1] if reason else 'unknown'}")
                continue
            result.found[version] = {name: _bits(found[name]) for name in names}
            result.environments[version] = installed
            say(f"  {version}: {len(names)} streams")


def _bits(found: Mapping[str, Any]) -> str | None:
    """Return the result of an operation; None where it does not run, or not twice the same."""
    digests = [] if "error" in found else found["digests"]
    return digests[0] if len(set(digests)) == 1 else None
