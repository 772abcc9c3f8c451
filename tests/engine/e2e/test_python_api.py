"""The Python API on a real engine: the documentation's examples, in the environment of the others."""

from __future__ import annotations

import pytest

import freezer
from freezer.engine.interface import Engine, ImageInfo
from tests.support.host.commands import Project
from tests.support.project.documented import ROOT, snippets

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def test_examples(
    built: Project, project: Project, engine: Engine, image: ImageInfo, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("FREEZER_STORE", str(project.store))
    heard: list[freezer.Event] = []
    with freezer.open_project(engine=engine.info.address, report=heard.append) as opened:
        for page in ("README", "lock", "build", "check"):
            for text in snippets(ROOT / "docs" / "reference" / "api" / f"{page}.md"):
                exec(text, {"freezer": freezer, "project": opened})
        built_again = freezer.build(opened)
        checked = freezer.check(opened)
    assert (built_again.image, built_again.built) == (image.id, False)
    assert (checked.verdict, checked.good, checked.recorded) == ("identical", True, False)
    assert checked.image == image.id
    assert (project.folder / checked.reference).is_file()
    out = capsys.readouterr().out
    assert f"{image.id} identical" in out
    assert [one.text for one in heard if one.kind == "start"]
