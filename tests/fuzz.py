"""The longer fuzz run: ``python -m tests.fuzz [-n INPUTS] [-s SECONDS] [--seed N] [NAME ...]``.

Collects the targets of ``tests/unit/fuzz``, gives each its share of the inputs, and prints how many
were tried, accepted and refused, and every way in which one ended in something else.
"""

from __future__ import annotations

import argparse
import importlib
import random
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.support.fuzz import Target, attempt, random_input, watched

FOLDER = Path(__file__).parent / "unit" / "fuzz"
MEMORY = 4 << 30
"""Bytes of address space: an input that makes a parser ask for more is a finding."""


def main() -> int:
    """Run, report, and return 1 when anything was found."""
    options = _options()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    chosen = [one for one in targets() if not options.names or _named(one, options.names)]
    share = -(-options.inputs // max(1, len(chosen)))
    deadline = time.monotonic() + options.seconds
    total, bad = 0, 0
    for number, target in enumerate(chosen):
        left = (deadline - time.monotonic()) / (len(chosen) - number)
        with watched():
            tried, failures = run(target, share, left, options.seed)
        total, bad = total + tried, bad + sum(failures.values())
    print(f"{total} inputs, {len(chosen)} parsers, {bad} uncaught")  # noqa: T201
    return 1 if bad or not total else 0


def targets() -> list[Target]:
    """Return the targets of every file of ``tests/unit/fuzz``."""
    found: list[Target] = []
    for file in sorted(FOLDER.glob("test_*.py")):
        found += importlib.import_module(f"tests.unit.fuzz.{file.stem}").TARGETS
    return found


def run(target: Target, inputs: int, seconds: float, seed: int) -> tuple[int, Counter[str]]:
    """Try one target; return how many inputs were tried, and the failures by place."""
    generator = random.Random(f"{seed} {target.name}")
    began, tried, accepted = time.monotonic(), 0, 0
    failures: Counter[str] = Counter()
    while tried < inputs and time.monotonic() - began < seconds:
        data = random_input(target, generator)
        tried += 1
        try:
            accepted += attempt(target, data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - panics of libraries in Rust are no Exception
            place = _place(error)
            if not failures[place]:
                print(f"--- {target.name}: {place}: {str(error)[:200]}\n    {data[:400]!r}")  # noqa: T201
            failures[place] += 1
    refused = tried - accepted - sum(failures.values())
    took = time.monotonic() - began
    print(  # noqa: T201
        f"{target.name:36} {tried:7} tried {accepted:7} accepted {refused:7} refused "
        f"{sum(failures.values()):5} uncaught {took:6.1f} s",
        flush=True,
    )
    return tried, failures


def _place(error: BaseException) -> str:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "/freezer/" in frame.filename
    ]
    last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno} ({last.name})"
    return f"{type(error).__name__} at {where}"


def _named(target: Target, names: list[str]) -> bool:
    return any(name in target.name for name in names)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--inputs", type=int, default=100_000, help="of all targets together")
    parser.add_argument("-s", "--seconds", type=float, default=3600.0, help="at most")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other inputs")
    parser.add_argument("names", nargs="*", help="only targets whose name contains one of these")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
