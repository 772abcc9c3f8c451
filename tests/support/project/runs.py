"""Recorded runs, and what filters find among them: the same on every database."""

from __future__ import annotations

import math

from freezer.model.record.run import Digest, Run, Time

DAY = 86_400_000_000
START = 1_793_491_200_000_000
"""2026-11-01T00:00:00Z."""


def run(number: int, **fields) -> Run:
    return Run(f"{number:016x}", "demo", "finished", Time(START + number * DAY), fields=fields)


RUNS = [
    run(0, **{"params.lr": 0.1, "params.opt": "adam", "metrics.loss": 1.5, "params.n": 3}),
    run(1, **{"params.lr": 0.01, "params.opt": "Adam's", "metrics.loss": math.nan, "flag": True}),
    run(2, **{"params.lr": 0.001, "params.opt": "sgd_x", "metrics.loss": math.inf, "flag": False}),
    run(3, **{"params.lr": "auto", "lock": Digest("8e145e26e044" + "0" * 52)}),
    run(4, **{"params.my param": 1, "lock": Digest("sha256:" + "ab" * 32), "params.n": 2**63}),
    run(5, **{"params.n": 2**63 + 1, "params.text": "x" * 5000, "metrics.loss": -0.5}),
]
FILTERS: list[tuple[str, list[int]]] = [
    ("params.lr < 0.05", [1, 2]),
    ("params.lr <= 0.01", [1, 2]),
    ("params.lr = 'auto'", [3]),
    ("params.lr = auto", [3]),
    ("params.lr != 0.1", [1, 2]),
    ("not params.lr = 0.1", [1, 2, 3, 4, 5]),
    ("params.opt = 'Adam''s'", [1]),
    ("params.opt like 'ad%'", [0]),
    ("params.opt ilike 'ad%'", [0, 1]),
    ("params.opt like '%\\_x'", [2]),
    ("params.opt in ('adam', 'sgd_x')", [0, 2]),
    ("params.opt not in ('adam')", [1, 2, 3, 4, 5]),
    ("metrics.loss = nan", [1]),
    ("metrics.loss = inf", [2]),
    ("metrics.loss > 1", [0, 2]),
    ("metrics.loss is null", [3, 4]),
    ("metrics.loss is not null and metrics.loss < 0", [5]),
    ("flag = true", [1]),
    ("flag != true", [2]),
    ("lock = 8e145e26e044", [3]),
    ("lock = 'sha256:abab'", [4]),
    ("lock = 'sha256:abab…'", [4]),
    ("lock != 8e145e26e044", [4]),
    ("started > '2026-11-04'", [4, 5]),
    ("started <= '2026-11-02T01:00:00+01:00'", [0, 1]),
    ("`params.my param` = 1", [4]),
    ('params."my param" = 1', [4]),
    ("params.n = 9223372036854775808", [4]),
    ("params.n = 9223372036854775809", [5]),
    ("params.n > 5", [4, 5]),
    (f"params.text = '{'x' * 5000}'", [5]),
    (f"params.text = '{'x' * 4999}'", []),
    ("id = '0000000000000002' or params.n = 3", [0, 2]),
    ("(params.lr < 1 or lock is not null) and not (params.opt = 'adam')", [1, 2, 3, 4]),
    ("env = 'demo' AND status = 'finished' And params.n = 3", [0]),
    ("", [0, 1, 2, 3, 4, 5]),
]
"""A filter, and the numbers of the runs that it finds."""
