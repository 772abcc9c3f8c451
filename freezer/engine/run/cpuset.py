"""CPU pinning of containers."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable

_RANGE = re.compile(r"(?P<first>[0-9]{1,4})(?:-(?P<last>[0-9]{1,4}))?")
_AVAILABLE = re.compile(r"available: ([0-9,-]+)")


def choose(count: int, available: Iterable[int], taken: Iterable[str] = ()) -> str:
    """Return ``count`` of the available CPUs, the least used ones first, as ``0,2``.

    ``taken`` are the cpusets of running containers, so that two concurrent trainings do not share a
    CPU while another one is idle. Raises ``EngineError`` when there are too few.
    """
    usable = sorted(set(available))
    if count > len(usable):
        raise EngineError(
            f"the container needs {count} CPUs, but the engine has {len(usable)}",
            hint="use a larger engine, or lower `smoke.cpus` in freeze.yaml and lock again; of a "
            "run, `resources.cpus`",
        )
    load = Counter(cpu for cpuset in taken for cpu in parse(cpuset))
    chosen = sorted(usable, key=lambda cpu: (load[cpu], cpu))[:count]
    return ",".join(str(cpu) for cpu in sorted(chosen))


def at(positions: Iterable[int], available: Iterable[int]) -> str:
    """Return the available CPUs at some positions, as ``0,2``.

    Raises ``EngineError`` when there are too few.
    """
    usable, wanted = sorted(set(available)), sorted(set(positions))
    if wanted[-1] >= len(usable):
        raise EngineError(
            f"the container is to have CPU {wanted[-1] + 1}, and the engine has {len(usable)}",
            hint="start fewer runs at once",
        )
    return ",".join(str(usable[position]) for position in wanted)


def parse(text: str) -> list[int]:
    """Parse ``0-2,5``; malformed parts are ignored."""
    found = (_RANGE.fullmatch(part) for part in text.split(","))
    ranges = ((int(one["first"]), int(one["last"] or one["first"])) for one in found if one)
    return [cpu for first, last in ranges for cpu in range(first, last + 1)]


def available_in(message: str) -> list[int]:
    """Return the available CPUs in an engine's error on a cpuset; empty if there are none.

    An engine that is itself pinned counts its own CPUs but uses the host's numbers.
    """
    found = _AVAILABLE.search(message)
    return parse(found[1]) if found else []
