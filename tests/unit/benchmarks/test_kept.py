"""Measurements that are made in parts, and kept together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.kept import merge

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_measured_before_stays_and_stands_in_order(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    assert merge(file, "a", {"two": 2}, ["one", "two", "three"]) == {"two": 2}
    assert list(merge(file, "a", {"one": 1}, ["one", "two", "three"])) == ["one", "two"]
    assert merge(file, "a", {"two": 4}, ["one", "two", "three"]) == {"one": 1, "two": 4}


def test_what_another_machine_measured_stands_beside_nothing(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    merge(file, "a", {"one": 1}, ["one", "two"])
    assert merge(file, "b", {"two": 2}, ["one", "two"]) == {"two": 2}
    assert json.loads(file.read_text()) == {"machine": "b", "measured": {"two": 2}}


def test_what_is_measured_no_more_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    merge(file, "a", {"one": 1, "two": 2}, ["one", "two"])
    assert merge(file, "a", {}, ["two"]) == {"two": 2}
