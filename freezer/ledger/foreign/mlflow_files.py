"""MLflow's file store: ``mlruns/EXPERIMENT/RUN`` with ``meta.yaml``, params, metrics, tags.

A parameter or tag is a file that holds its value; a metric is one that holds a line for each value:
time in milliseconds, value, step.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from freezer.ledger.foreign.found import LONGEST_TEXT, Budget, ForeignRun, keep_text
from freezer.ledger.series import Points
from freezer.model.yaml_document import load_as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.ledger.foreign.files import Folder

META: Final = re.compile(
    r"(?P<store>(?:.*/)?)(?P<experiment>[^/]+)/(?P<run>[0-9a-f]{32})/meta\.yaml"
)
_LARGEST_META: Final = 64 << 10
_STATUS: Final = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}


def file_runs(folder: Folder, budget: Budget) -> Iterator[ForeignRun]:
    """Yield the runs of every file store in a folder, by experiment and ID."""
    places = {path: match for path in folder.sizes if (match := META.fullmatch(path))}
    by_run: dict[str, list[str]] = {}
    for path in folder.sizes:
        parts = path.split("/")
        for depth, part in enumerate(parts):
            if len(part) == 32 and depth + 2 < len(parts):
                by_run.setdefault("/".join(parts[: depth + 1]), []).append(path)
    experiments: dict[str, str] = {}
    for path, match in sorted(places.items()):
        meta = _meta(folder, path, budget)
        if meta is None or meta.get("lifecycle_stage") == "deleted":
            continue
        place = f"{match['store']}{match['experiment']}"
        if place not in experiments:
            found = f"{place}/meta.yaml"
            about = _meta(folder, found, budget) if found in folder.sizes else None
            experiments[place] = str((about or {}).get("name", ""))[:250]
        base = path.removesuffix("/meta.yaml")
        run = _run(match["run"], meta, experiments[place])
        _fill(folder, run, base, by_run.get(base, ()), budget)
        yield run


def _meta(folder: Folder, path: str, budget: Budget) -> dict[str, Any] | None:
    text = folder.text(path, _LARGEST_META, budget)
    if text is None:
        return None
    try:
        # As text: no types, and no merge keys, which can grow without bound.
        found = load_as_text(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        found = None
    if not isinstance(found, dict):
        budget.note(f"{ascii(path)[1:-1]}: not YAML as MLflow writes it")
        return None
    return found


def _run(identifier: str, meta: dict[str, Any], experiment: str) -> ForeignRun:
    status = str(meta.get("status", "3"))
    return ForeignRun(
        identifier,
        name=str(meta.get("run_name", meta.get("name", "")))[:250],
        experiment=experiment,
        status=_STATUS.get(status, status)[:20],
        started=_micros(meta.get("start_time")),
        ended=_micros(meta.get("end_time")),
    )


def _micros(text: Any) -> int | None:
    """Return a time in milliseconds as microseconds; None where there is none."""
    if isinstance(text, str) and re.fullmatch(r"[0-9]{1,15}", text):
        return int(text) * 1000
    return None


def _fill(folder: Folder, run: ForeignRun, base: str, paths: Iterable[str], budget: Budget) -> None:
    for path in sorted(paths):
        kind, _, name = path.removeprefix(f"{base}/").partition("/")
        if kind in ("params", "tags") and name:
            text = folder.text(path, LONGEST_TEXT, budget)
            if text is not None:
                keep_text(budget, run.params if kind == "params" else run.tags, name, text)
        elif kind == "metrics" and name and budget.takes(name):
            points = _metric(folder, path, budget)
            if len(points):
                run.metrics[name] = points
    run.parent = run.tags.get("mlflow.parentRunId", "")


def _metric(folder: Folder, path: str, budget: Budget) -> Points:
    """Read a metric's file; lines that cannot be read are counted."""
    points: list[tuple[int, int, float]] = []
    if not budget.takes_bytes(folder.sizes[path]):
        budget.note(f"{ascii(path)[1:-1]}: too large")
        return Points.of(points)
    try:
        with folder.open(path) as stream:
            for line in iter(lambda: stream.readline(1000), b""):
                point = _point(line)
                if point is None:
                    budget.left_out += 1
                elif budget.takes_points():
                    points.append(point)
    except OSError as error:
        budget.note(f"{ascii(path)[1:-1]}: {error.strerror}")
    return Points.of(points)


def _point(line: bytes) -> tuple[int, int, float] | None:
    words = line.split()
    try:
        time, value = int(words[0][:15]), float(words[1])
        step = int(words[2][:20]) if len(words) > 2 else 0
        step.to_bytes(8, "big", signed=True)
    except (ValueError, IndexError, OverflowError):
        return None
    return step, time * 1000, value
