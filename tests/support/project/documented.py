"""The project that the documentation's Python examples run in: a real index, an engine of none."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import freezer
from freezer.engine.connect import connect
from freezer.flows.image import assemble
from freezer.image.layout import LOCK_LABEL
from freezer.model.record.protocol import PREFIX
from tests.support.host.fake_engine import FakeEngine
from tests.support.host.hosts import BASE
from tests.support.project.records import HOST, lines
from tests.support.python.indexes import FakeIndex, serve
from tests.support.registry.registries import make_config

ROOT = Path(__file__).parents[3]
SHIPPED = "sklearn-cpu"
"""Its base and its Debian packages are kept: locking again asks no archive and no engine."""
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(page: Path) -> list[str]:
    """Return the Python examples of a page."""
    return SNIPPET.findall(page.read_text())


@dataclass
class Documented:
    """A project in a folder, whose NumPy comes from an index on loopback."""

    folder: Path
    index: FakeIndex
    held: FakeEngine

    def spec(self, **changes: Any) -> None:
        path = self.folder / "images" / SHIPPED / "freeze.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))

    def tell(self, *told: bytes) -> None:
        """Say what every training tells from now on."""
        self.held.told = [PREFIX + json.dumps({"kind": "host", "host": HOST}).encode(), *told]

    def past(self, project: freezer.Project) -> None:
        """Make generations 2 and 3, both checked, and a newer NumPy in the index."""
        self.spec(pip=["numpy<2"])
        for _ in range(2):
            freezer.lock(project)
            freezer.build(project)
            assert freezer.check(project).good
            self.spec(pip=["numpy"])
        self.index.add("numpy", "2.1.0")


@contextmanager
def documented(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Documented]:
    """Make that project, and be in its folder."""
    project, held = folder / "project", FakeEngine()
    shutil.copytree(ROOT / "images" / SHIPPED, project / "images" / SHIPPED)
    shutil.copytree(ROOT / "lockfiles" / SHIPPED, project / "lockfiles" / SHIPPED)
    shutil.rmtree(project / "lockfiles" / SHIPPED / "history", ignore_errors=True)
    shutil.rmtree(project / "lockfiles" / SHIPPED / "references", ignore_errors=True)
    with serve() as index:
        index.add("pip", "26.0")  # Freezer installs it in every image
        index.add("numpy", "1.26.4")
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump({"sources": {"pypi": {"index_url": index.simple}}}))
        monkeypatch.setenv("FREEZER_CONFIG", str(config))
        monkeypatch.setenv("FREEZER_STORE", str(folder / "store"))
        monkeypatch.setenv("UV_CACHE_DIR", str(folder / "uv"))
        monkeypatch.chdir(project)
        monkeypatch.setattr(connect, "connect", lambda *_: held)
        monkeypatch.setattr(assemble, "make", _image_of(held))
        made = Documented(project, index, held)
        made.spec(pip=["numpy"], smoke={"training": ["numpy"]}, why={})
        made.tell(*lines())
        yield made


def _image_of(held: FakeEngine) -> Any:
    """Return what builds no image but one that says which lock it is of."""

    class Parts:
        layers = ()

    def make(project: Any, locked: Any, *_: Any, **__: Any) -> Any:
        return held.make(make_config([BASE], Labels={LOCK_LABEL: locked.id}), BASE), Parts

    return make
