"""A past with drifts, a rollback, deviations and runs made again, each on a known day."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from freezer.flows.runs.ledger import project_ledger
from freezer.history.log import History, write_log
from freezer.ledger.record import record
from freezer.ledger.series import Points
from freezer.model.generation import Checked, Generation
from freezer.model.record.run import Run, Time
from freezer.model.record.word import Word
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.locks import sha

EVIL = "<img src=x onerror='window.hacked=1'>`"
DAY = 86_400_000_000
POLICY = f"""\
rules: {{reasons: true}}
deviations:
  - {{rule: banned, subject: "pip:pickle5", reason: "{EVIL[:20]}", owner: ada, until: "2026-10-31"}}
  - {{rule: max-age, reason: no network, owner: bob, until: "2099-01-01"}}
statements:
  - {{vulnerability: CVE-2026-1, status: not_affected, reason: never called, owner: ada}}
"""


def looked_back(root: Path) -> Past:
    """Return the project: it drifted on the 5th, went back on the 7th, and drifts since the 20th."""
    past = make_past(root)
    locks = []
    for version in ("1.26.4", "2.1.0", "2.2.0"):
        past.lock(version)
        locks.append(past.locked.id)
    history = History()
    for kind, values in (
        ("generation", {"number": 1, "date": "01T00", "lock": 0, "action": "lock"}),
        ("check", {"generation": 1, "date": "01T01", "lock": 0, "word": Word.IDENTICAL}),
        ("generation", {"number": 2, "date": "04T00", "lock": 1, "action": "update"}),
        ("check", {"generation": 2, "date": "05T00", "lock": 1, "word": Word.DRIFTED}),
        ("check", {"generation": 2, "date": "06T00", "lock": 1, "word": Word.DRIFTED}),
        ("generation", {"number": 3, "date": "07T06", "lock": 0, "action": "rollback", "reason": "drift"}),
        ("check", {"generation": 3, "date": "08T00", "lock": 0, "word": Word.IDENTICAL}),
        ("generation", {"number": 4, "date": "10T00", "lock": 2, "action": "lock"}),
        ("generation", {"number": 5, "date": "11T00", "lock": 0, "action": "rollback", "forced": True}),
        ("check", {"generation": 5, "date": "20T00", "lock": 0, "word": Word.DRIFTED, "cpu": EVIL}),
    ):  # fmt: skip
        history = history.extended(_entry(history, kind, locks, **values))
    write_log(past.folder, history)
    (past.project / "policy.yaml").write_text(POLICY)
    _runs(past)
    return past


def _entry(
    history: History, kind: str, locks: list[str], *, date: str, lock: int, **more: Any
) -> Generation | Checked:
    common = {"parents": history.tips, "date": f"2026-11-{date}:00:00Z", "lock_id": locks[lock]}
    if kind == "generation":
        return Generation.model_validate(
            {**common, "number": more["number"], "action": more["action"],
             "summary": "numpy changed", "reason": more.get("reason"), "who": "Ada",
             "deviation": more.get("forced", False)}
        )  # fmt: skip
    return Checked.model_validate(
        {**common, "generation": more["generation"], "class": "x86-64-v3", "word": more["word"],
         "image": f"sha256:{sha('a')}", "cpu": more.get("cpu", "Test CPU")}
    )  # fmt: skip


def _runs(past: Past) -> None:
    first = Run("1" * 16, NAME, "finished", Time(1_793_491_200_000_000 + 2 * DAY), exit_code=0)
    first = replace(first, ended=Time(first.started.micros + 3_600_000_000))
    losses = {"metrics.loss": Points.of([(0, 0, 1.0), (1, 1, 0.5)])}
    other = {"metrics.loss": Points.of([(0, 0, 1.0), (1, 1, 0.25)])}
    with project_ledger(past.opened) as ledger:
        record(ledger, first, losses)
        for number, series in (("2", losses), ("3", losses), ("4", other)):
            again = replace(first, id=number * 16, links={"reproduces": first.id})
            record(ledger, again, series)
        old = replace(first, id="5" * 16, started=Time(first.started.micros - 30 * DAY))
        record(ledger, replace(old, state="failed"), {})
