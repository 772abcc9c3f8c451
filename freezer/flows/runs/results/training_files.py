"""Reads MLflow stores and TensorBoard event files that a training wrote to its output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from freezer.flows.runs.request import typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from freezer.ledger.foreign.files import Folder
    from freezer.ledger.foreign.found import Budget, ForeignRun
    from freezer.ledger.series import Points
    from freezer.model.record.run import Output, Run, Value

_DATABASES: Final = (".db", ".sqlite", ".sqlite3")
_LONGEST: Final = 200
"""Maximum characters of a name in the ledger."""


@dataclass(frozen=True)
class TrainingFiles:
    """What was found in an output folder."""

    fields: Mapping[str, Value]
    metrics: Mapping[str, Points]
    tags: Mapping[str, str]
    notes: tuple[str, ...]
    """What could not be read or exceeded a limit."""


def training_files(root: Path, sizes: Mapping[str, int]) -> TrainingFiles:
    """Read what a training recorded in its output folder, within bounds; secrets are left out.

    ``sizes`` are the bytes of the files in it, by path.
    """
    databases = [path for path in sizes if path.endswith(_DATABASES)]
    if not databases and not any("tfevents" in path or "/meta.yaml" in path for path in sizes):
        return TrainingFiles({}, {}, {}, ())
    from freezer.ledger.foreign.files import Folder
    from freezer.ledger.foreign.found import Budget

    budget, folder = Budget(), Folder(root, sizes)
    fields: dict[str, Value] = {}
    metrics: dict[str, Points] = {}
    tags: dict[str, str] = {}
    for prefix, run in _found(folder, databases, budget):
        for name, text in run.params.items():
            fields.setdefault(f"params.{prefix}{name}"[:_LONGEST], typed(text))
        for name, points in run.metrics.items():
            metrics.setdefault(f"metrics.{prefix}{name}"[:_LONGEST], points)
        for name, text in run.tags.items():
            tags.setdefault(f"{prefix}{name}"[:_LONGEST], text)
    return TrainingFiles(
        {**fields, **{name: last_value(points) for name, points in metrics.items()}},
        metrics,
        tags,
        tuple(budget.summary()),
    )


def records_of_tools(root: Path, outputs: Sequence[Output]) -> set[str]:
    """Return the outputs that are MLflow's stores or TensorBoard's event files."""
    from freezer.ledger.foreign.files import Folder
    from freezer.ledger.foreign.mlflow_files import META
    from freezer.ledger.foreign.mlflow_sql import is_store
    from freezer.ledger.foreign.tensorboard import MARK

    folder = Folder(root, {one.path: one.size for one in outputs})
    databases = {one for one in folder.sizes if one.endswith(_DATABASES) and is_store(root / one)}
    stores = {match["store"] for path in folder.sizes if (match := META.fullmatch(path))}
    return {
        path
        for path in folder.sizes
        if MARK in path.rpartition("/")[2]
        or any(path.startswith(store) and _in_store(path, store) for store in stores)
        or path.removesuffix("-wal").removesuffix("-journal") in databases
    }


def _in_store(path: str, store: str) -> bool:
    """Return whether a file below a store's folder is a record: artifacts are results."""
    parts = path.removeprefix(store).split("/")
    return parts[-1] == "meta.yaml" or (
        len(parts) > 3 and parts[2] in ("params", "metrics", "tags")
    )


def _is_sqlite(folder: Folder, path: str) -> bool:
    from freezer.ledger.foreign.mlflow_sql import HEADER

    try:
        with folder.open(path) as stream:
            return stream.read(len(HEADER)) == HEADER
    except OSError:
        return False


def last_value(points: Points) -> float:
    """Return the value of the highest step; of several, the latest, as in MLflow."""
    places = range(len(points))
    last = max(places, key=lambda one: (points.steps[one], points.times[one], one))
    return points.values[last]


def with_training_files(
    run: Run, metrics: Mapping[str, Points], found: TrainingFiles
) -> tuple[Run, dict[str, Points]]:
    """Return a run and its series with what was found; existing values are not replaced."""
    fresh = {
        name: value
        for name, value in found.fields.items()
        if name not in run.fields and name not in metrics
    }
    changed = replace(run, fields={**fresh, **run.fields}, tags={**found.tags, **run.tags})
    return changed, {**found.metrics, **metrics}


def _found(
    folder: Folder, databases: Sequence[str], budget: Budget
) -> Iterator[tuple[str, ForeignRun]]:
    """Yield each recorded run with the prefix of its names."""
    from freezer.ledger.foreign.mlflow_files import file_runs
    from freezer.ledger.foreign.mlflow_sql import sql_runs
    from freezer.ledger.foreign.tensorboard import event_run

    runs = list(file_runs(folder, budget))
    for path in databases:
        if _is_sqlite(folder, path):
            runs += sql_runs(folder.root / path, budget)
    yield from _named(runs)
    events = event_run(folder, budget)
    if events is not None:
        yield "", events


def _named(runs: Sequence[ForeignRun]) -> Iterator[tuple[str, ForeignRun]]:
    """Yield runs with a prefix: none for a single one, or the one that has all others as parts.

    Their own names are random, so that they are numbered in the order of their start.
    """
    ordered = sorted(runs, key=lambda one: (one.started or 0, one.id))
    known = {one.id for one in ordered}
    roots = [one for one in ordered if one.parent not in known]
    if len(roots) == 1:
        yield "", roots[0]
        ordered.remove(roots[0])
    for number, one in enumerate(ordered, 1):
        yield f"run{number}/", one
