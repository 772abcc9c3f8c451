"""Pages of runs for tests: a few runs of every kind, or ten thousand."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

from freezer.flows.runs.page.curves import curve
from freezer.flows.runs.page.gather import RunsPage
from freezer.ledger.series import Points
from freezer.model.record.run import Digest, Output, Run, Time, Value
from freezer.output.runs.page import page_html

EVIL = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>\u2028`${1}`"
"""A name, parameter or note that would run, if it were ever taken for markup."""
START = 1_793_491_200_000_000


def page_of(runs: list[Run], series: dict[str, dict[str, Points]] | None = None) -> RunsPage:
    """Return a page without environments and data sets."""
    curves = {
        run_id: {name: curve(points, 200) for name, points in found.items()}
        for run_id, found in (series or {}).items()
    }
    return RunsPage(
        query=None,
        runs=tuple(runs),
        total=len(runs),
        curves=curves,
        files={},
        environments={},
        suspects={},
    )


def write_page(page: RunsPage, path: Path) -> Path:
    path.write_text(page_html(page))
    return path


def varied_run(number: int, chance: random.Random) -> tuple[Run, dict[str, Points]]:
    """Return a run that differs from others in one thing or several, and its series."""
    seed, rate = chance.choice([1, 2]), chance.choice([0.1, 1e-5, 1.0])
    fields: dict[str, Value] = {
        "seed": seed,
        "params.lr": rate,
        "given.lr": str(rate),
        "params.random_state": seed * 7,
        "params.tol": chance.choice([1e-3, 1]),
        "lock": Digest(chance.choice("ab") * 64),
        "image": Digest("sha256:" + chance.choice("cd") * 64),
        "git.commit": Digest(chance.choice("12") * 40),
        "git.files": Digest(chance.choice("34") * 64),
        "data.train": Digest("sha256:" + chance.choice("56") * 64),
        "data.train.list": Digest("7" * 64),
        "data.batches": Digest(chance.choice("89") * 64),
        "versions.numpy": chance.choice(["2.2", "2.3"]),
        "settings.OMP_NUM_THREADS": chance.choice(["1", "2"]),
        "host.class": chance.choice(["x86-64-v3-haswell", "x86-64-v4-skylakex"]),
        "host.name": chance.choice(["one", "two"]),
        "template": "train.py {lr}",
        "metrics.loss": rate / seed,
        "metrics.same": math.nan,
    }
    if chance.random() < 0.3:
        del fields["git.files"]
    made = Run(
        f"{number:016x}",
        "demo",
        chance.choice(["finished", "failed", "interrupted"]),
        Time(START + number * 3_600_000_000),
        ("train.py", repr(rate)),
        fields=fields,
        outputs=(Output("model.pt", 100, chance.choice("ef") * 64),),
    )
    loss = [(step, step, rate / (step + seed)) for step in range(50)]
    return made, {"metrics.loss": Points.of(loss)}


def many_runs(count: int) -> Iterator[tuple[Run, dict[str, Points]]]:
    """Yield many runs, the earliest first, with some forty fields and two series of each."""
    chance = random.Random(1)
    for number in range(count):
        made, points = varied_run(number, chance)
        more: dict[str, Value] = {
            f"params.p{k}": chance.choice([1, 0.5, "x", True]) for k in range(15)
        }
        more |= {f"metrics.m{k}": chance.random() for k in range(5)}
        more["params.optimizer"] = chance.choice(["adam", "sgd"])
        yield made.with_fields(more), {**points, "metrics.m0": points["metrics.loss"]}


def many(count: int) -> RunsPage:
    """Return a page of many runs."""
    pairs = list(many_runs(count))
    return page_of([run for run, _ in pairs][::-1], {run.id: points for run, points in pairs})
