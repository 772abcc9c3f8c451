"""Measures random rows once more, with the very packages that they were measured with."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.atlas.campaign import measure
from freezer.frameworks.atlas.table import sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.atlas.environments import Environment
    from benchmarks.atlas.trial import Trial
    from freezer.frameworks.atlas.table import Row, Sheet

    Make = Callable[[Path, Sequence[str]], Environment]


def again(chosen: Sequence[Trial], count: int, seed: int | None, make: Make) -> int:
    """Compare random rows with new measurements; return 1 if any has another effect.

    ``make`` makes an environment of pinned packages in a folder.
    """
    known = [
        (trial, found, row)
        for trial in chosen
        if (found := sheet(trial.package))
        for row in found.rows
    ]
    picked = random.Random(seed).sample(known, min(count, len(known)))
    wrong = 0
    for trial, found, row in sorted(picked, key=lambda item: item[0].package):
        version = row.versions[-1]
        effect, same_bits = _measured(trial, found, row, version, make)
        wrong += effect != row.effect
        word = "agrees" if effect == row.effect else f"was {row.effect}, and is {effect} now"
        bits = "" if row.effect == "varies" else ", the same bits" if same_bits else ", other bits"
        title = f"{trial.package} {version}: {row.operation}: {row.factor}: {row.effect}"
        print(f"{title}: {word}{bits}", flush=True)
    print(f"{len(picked) - wrong} of {len(picked)} rows agree")
    return 1 if wrong else 0


def _measured(trial: Trial, found: Sheet, row: Row, version: str, make: Make) -> tuple[str, bool]:
    """Return the effect of one row's factor, measured again, and whether digests are equal too."""
    one = next(item for item in trial.operations if item.title == row.operation)
    part = replace(trial, operations=(replace(one, factors=(row.factor,)),))
    pins = [f"{name}=={locked}" for name, locked in found.environments[version].items()]
    with TemporaryDirectory(prefix="atlas-again-") as folder:
        environment = make(Path(folder) / "environment", pins)
        [new] = measure(part, environment, lambda _: None)
    recorded = {level: set(bits) for level, bits in row.digests[version].items()}
    return new.effect, {level: set(bits) for level, bits in new.digests.items()} == recorded
