"""docs/how-to/own-training.md as written: its training, its part of the spec, and what it promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from freezer.engine.interface import Engine
from tests.support.host.commands import Project, forget
from tests.support.project.documented import ROOT, snippets

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]
PAGE = ROOT / "docs" / "how-to" / "own-training.md"


@pytest.fixture
def own(project: Project, built: Project, engine: Engine) -> Iterator[Project]:
    """Return the project with the page's training, built; its other layers are there already."""
    del built
    (training,) = snippets(PAGE)
    (spec,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (project.folder / "train.py").write_text(training)
    project.spec(**yaml.safe_load(spec))
    project.freeze("lock").good()
    project.freeze("build").good()
    yield project
    for image in engine.images(label=f"org.freezer.lock-id={project.lock_id}"):
        forget(engine, image)


def test_the_page(own: Project) -> None:
    first = own.freeze("check", "--json").good().document
    assert (first["verdict"], first["recorded"]) == ("identical", True)
    (training,) = first["trainings"]
    assert (training["training"], training["steps"]) == ("own", 20)
    again = own.freeze("check", "--json").good().document
    assert (again["verdict"], again["recorded"]) == ("identical", False)
    told = Path(own.references[0]).read_text()
    assert "learning rate" in told
