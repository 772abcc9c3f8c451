"""Measurements that are made in parts, and kept together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.kept import idle, merge

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


@pytest.mark.process
def test_a_quiet_machine_is_told_from_a_busy_one() -> None:
    assert 0.0 <= idle(0.1) <= 1.0
    spinning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        assert idle(0.5) < 0.5
    finally:
        for one in spinning:
            one.kill()
            one.wait()
