"""The runs that both stores hold, the queries they answer, and how a side takes its orders.

Standard library alone: MLflow's side runs in an environment without Freezer.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

START: Final = 1_793_491_200
"""Seconds since 1970: 2026-11-01."""
PAGE: Final = 1000
"""Runs that one query returns at most, each whole: MLflow's default page."""
VALUES: Final = 100
"""Values of a run: parameters and metrics."""


@dataclass(frozen=True)
class Example:
    """One run, as both stores get it."""

    number: int
    status: str
    started: int
    """Seconds since 1970."""
    params: dict[str, str]
    metrics: dict[str, float]
    lock: str
    data: str


def example(number: int) -> Example:
    """Return run ``number``: the same one each time."""
    draw = random.Random(number)
    params = {
        "lr": repr(draw.random() / 10),
        "optimizer": draw.choice(["adam", "sgd", "adamw"]),
        "model": draw.choice(["resnet18", "resnet50", "vit"]),
        "seed": str(number % 5),
        **{f"p{one}": repr(draw.random()) for one in range(46)},
    }
    metrics = {
        "accuracy": draw.random(),
        "loss": draw.random() * 2,
        **{f"m{one}": draw.random() for one in range(VALUES - len(params) - 2)},
    }
    if number % 50 == 0:
        del metrics["accuracy"]
    if number % 70 == 0:
        metrics["loss"] = float("nan")
    status = "failed" if number % 20 == 0 else "finished"
    lock = f"{number % 400:012x}{'0' * 52}"
    return Example(number, status, START + number, params, metrics, lock, f"{number % 7:064x}")


QUERIES: Final[tuple[tuple[str, str | None], ...]] = (
    (
        "metrics.accuracy > 0.9 and params.lr < 0.01",
        None,  # parameters are text there: `<` is refused
    ),
    ("metrics.accuracy > 0.9", "metrics.accuracy > 0.9"),
    ("metrics.loss <= 0.5", "metrics.loss <= 0.5"),
    ("seed = 1", "params.seed = '1'"),
    ("params.optimizer = 'adam'", "params.optimizer = 'adam'"),
    ("lock = 000000000123", f"tags.lock = '{0x123:012x}{'0' * 52}'"),
    (f"data.train = 'sha256:{3:064x}'", f"tags.data = '{3:064x}'"),
    ("started > '2026-11-01'", f"attributes.start_time > {START * 1000}"),
    ("params.model like 'resnet%'", "params.model LIKE 'resnet%'"),
    ("params.model ilike 'RESNET%'", "params.model ILIKE 'RESNET%'"),
    ("seed in (1, 2)", None),
    ("metrics.accuracy is null", None),
    ("metrics.loss = nan", None),
    ("metrics.loss = inf", None),
    ("not (status = 'finished')", "attributes.status != 'FINISHED'"),
    (
        "metrics.accuracy > 0.5 and (seed = 1 or params.optimizer = 'sgd')",
        None,
    ),
    ("", ""),
)
"""Each kind of filter in docs/how-to/run.md, and MLflow's spelling where it has one."""


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return the wall clock's seconds, this process's CPU seconds, and the result."""
    cpu, wall = process_time(), perf_counter()
    result = work()
    return perf_counter() - wall, process_time() - cpu, result


def serve(side: Mapping[str, Callable[..., Any]]) -> None:
    """Carry out orders, a line of JSON each, until stdin ends."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = side[order.pop("do")](**order)
        print(f"\x1e{json.dumps(answer)}", flush=True)
