"""Runs from elsewhere: exports, MLflow's stores, TensorBoard's event files, filters."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from freezer.flows.runs.results.outputs import list_outputs, output_sizes
from freezer.flows.runs.results.training_files import (
    records_of_tools,
    training_files,
    with_training_files,
)
from freezer.ledger.exchange.document import export_parts, read_export
from freezer.ledger.filter.parse import parse_filter
from freezer.ledger.foreign.tfrecord import masked_crc
from freezer.ledger.series import Points
from freezer.model.events import SilentReporter
from freezer.model.record.run import Run, Time, run_bytes
from tests.support.fuzz import Target, hold
from tests.support.project.runs import FILTERS, RUNS

STORE = f"mlruns/1/{'a' * 32}"
META = (
    b"run_id: x\nrun_name: n\nstatus: 3\nstart_time: 1793491200000\nend_time: 1793491201000\n"
    b"lifecycle_stage: active\ntags: []\n"
)
TABLES = """
CREATE TABLE experiments (experiment_id INTEGER, name TEXT);
CREATE TABLE runs (run_uuid TEXT, name TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
    experiment_id INTEGER, lifecycle_stage TEXT);
CREATE TABLE params (run_uuid TEXT, key TEXT, value TEXT);
CREATE TABLE tags (run_uuid TEXT, key TEXT, value TEXT);
CREATE TABLE metrics (run_uuid TEXT, key TEXT, value REAL, is_nan INT, step BIGINT, timestamp BIGINT);
INSERT INTO runs VALUES ('r', 'x', 'FINISHED', 5, 6, 0, 'active');
INSERT INTO params VALUES ('r', 'lr', '0.1');
INSERT INTO metrics VALUES ('r', 'loss', 0.5, 0, 1, 7);
"""


def database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(TABLES)
        return path.read_bytes()


def event(value: float) -> bytes:
    summary = b"\x0a\x04loss\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(summary)]) + summary
    return b"\x09" + struct.pack("<d", 1e9) + b"\x10\x05\x2a" + bytes([len(summary)]) + summary


def sealed(data: bytes) -> bytes:
    """Return a record whose checksums fit whatever was done to its content."""
    head = struct.pack("<Q", len(data))
    parts = (head, struct.pack("<I", masked_crc(head)), data, struct.pack("<I", masked_crc(data)))
    return b"".join(parts)


def in_output(name: str, **others: bytes) -> Callable[[bytes], object]:
    """Return a parser of one file in a run's output folder."""

    def parsed(data: bytes) -> object:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            root = Path(folder)
            for place, content in {**others, name: data}.items():
                path = root / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            outputs = list_outputs(root, SilentReporter())[0]
            records_of_tools(root, outputs)
            run = Run("a" * 16, "demo", "finished", Time(1))
            made, metrics = with_training_files(run, {}, training_files(root, output_sizes(root)))
            run_bytes(made)
            return metrics

    return parsed


POINTS = {"metrics.loss": Points.of([(0, 1, 0.5), (1, 2, float("nan"))])}
EXPORT = b"".join(export_parts([(one, POINTS) for one in RUNS[:2]], [b"content"]))
EVENTS = "logs/events.out.tfevents.1.host"
TARGETS = [
    Target("runs: export", read_export, [EXPORT], "json"),
    Target("runs: filter", lambda data: parse_filter(data.decode("utf-8", "replace")),
           [text.encode() for text, _ in FILTERS if text and len(text) < 200], "text"),
    Target("mlflow: meta.yaml", in_output(f"{STORE}/meta.yaml"), [META], "text"),
    Target("mlflow: metric", in_output(f"{STORE}/metrics/m", **{f"{STORE}/meta.yaml": META}),
           [b"1793491200000 0.5 1\n1793491200001 nan 2\n"], "text"),
    Target("mlflow: parameter", in_output(f"{STORE}/params/p", **{f"{STORE}/meta.yaml": META}),
           [b"0.1", b"text"], "text"),
    Target("mlflow: database", in_output("mlflow.db"), [database()]),
    Target("tensorboard: file", in_output(EVENTS), [sealed(event(0.5)) + sealed(event(1.5))]),
    Target("tensorboard: event", lambda data: in_output(EVENTS)(sealed(data)), [event(0.5)]),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_any_input_is_read_or_refused(target: Target) -> None:
    hold(target)
