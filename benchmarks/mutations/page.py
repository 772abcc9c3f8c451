"""The page that shows what is detected: its tables are written here, its words by hand."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.mutations.signals import SIGNALS
from freezer import __version__
from freezer.inside.freezer_inside.fingerprint import cpu_info

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "what-is-detected.md"
LETTERS = {
    "numpy": "N", "sklearn": "S", "torch": "T", "jax": "J", "tensorflow": "F", "xgboost": "X",
    "lightgbm": "L",
}  # fmt: skip
HIDDEN_MARKS = ("<!-- hidden -->\n", "<!-- end of what was hidden -->\n")
MARKS = ("<!-- measured -->\n", "<!-- end of what was measured -->\n")
Row = dict[str, Any]


def write_page(rows: list[Row], reruns: list[dict[str, Any]]) -> None:
    """Put the measured tables in place of the ones that are there."""
    _replace(MARKS, _measured(rows, reruns))


def write_hidden(rows: list[Row]) -> None:
    """Put the table of what was hidden in place of the one that is there."""
    head = ["change", "training", "results that differed before", "that differ now as well"]
    lines = [head, ["---"] * len(head), *(_hidden(row) for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    _replace(HIDDEN_MARKS, f"\n{_measured_on()}.\n\n{table}\n\n")


def _hidden(row: Row) -> list[str]:
    before, after = row["found"]["before"], row["found"]["after"]
    others = f"{len(before)} others" if before else "none"
    new = [name for name in after if name not in before]
    return [row["title"], row["training"], others, ", ".join(new) or "none"]


def _replace(marks: tuple[str, str], text: str) -> None:
    before, _, rest = PAGE.read_text().partition(marks[0])
    after = rest.partition(marks[1])[2]
    PAGE.write_text(f"{before}{marks[0]}{text}{marks[1]}{after}")


def _measured(rows: list[Row], reruns: list[dict[str, Any]]) -> str:
    changed = [row for row in rows if row["bits"]]
    noticed = sum(row["word"] != "identical" for row in changed)
    runs, alarms = (sum(one[key] for one in reruns) for key in ("runs", "alarms"))
    counted = ", ".join(f"{one['training']} {one['runs']}" for one in reruns)
    text = f"""
{_measured_on()}.
{len(rows)} changed runs: in {len(changed)} some bit was another one, and {noticed} of those were noticed.
{runs} unchanged runs ({counted}): {alarms} alarms.
"""  # noqa: E501
    return f"{text}\n{_table(rows)}\n\n"


def _measured_on() -> str:
    facts = cpu_info(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    cpu = facts.get("model name", platform.processor())
    host = f"{os.cpu_count()} cores of {cpu}"
    return f"Measured on {datetime.now(UTC):%Y-%m-%d} on {host}, with Freezer {__version__}"


def _table(rows: list[Row]) -> str:
    titles = list(dict.fromkeys(row["title"] for row in rows))
    head = ["change", "in", "bits", *SIGNALS, "verdict", "first difference", "cause named"]
    lines = [head, ["---"] * len(head)]
    lines += [_line(title, [row for row in rows if row["title"] == title]) for title in titles]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(title: str, rows: list[Row]) -> list[str]:
    tested = [row["training"] for row in rows]
    signals = [_cell([r["training"] for r in rows if r["seen"][name]], tested) for name in SIGNALS]
    return [
        title,
        "".join(LETTERS[name] for name in tested),
        _cell([row["training"] for row in rows if row["bits"]], tested),
        *signals,
        ", ".join(dict.fromkeys(row["word"] for row in rows)),
        _listed(row["first"] for row in rows if row["first"]),
        _listed(_plain(row["cause"]) for row in rows if row["cause"]),
    ]


def _listed(texts: Iterable[str]) -> str:
    """Return what is said in some rows; of many, which differ in names alone, the first two."""
    found = [*dict.fromkeys(texts)]
    shown = found if len(found) <= 3 else [*found[:2], "…"]
    return "; ".join(shown) or "-"


def _cell(names: list[str], tested: list[str]) -> str:
    if not names:
        return "-"
    return "●" if len(names) == len(tested) else "".join(LETTERS[name] for name in names)


def _plain(cause: str) -> str:
    """Leave out of which training a sentence is: the row says it."""
    return re.sub(rf"^({'|'.join(LETTERS)}): ", "", cause).replace("|", "\\|")
