"""A project with one shipped environment, its own empty store, and no engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from freezer.engine.interface import Engine
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.governance.gate import policy_gate
from freezer.flows.project.project import Project
from freezer.model.events import SilentReporter

ROOT = Path(__file__).parents[3]
ENV = "boosting"


class Said(SilentReporter):
    """Keeps warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def no_engine() -> Engine:
    raise AssertionError("this needs no engine")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for folder in ("images", "lockfiles"):
        shutil.copytree(ROOT / folder / ENV, tmp_path / folder / ENV)
    store = Store.open(tmp_path / "store")
    return Project(tmp_path, Config(), store, no_engine, Said(), policy_gate)
