"""A lock that is used while its spec, or a file of it, moved: one line says so, and what to run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.check.check import check
from freezer.flows.compare.diff import diff
from freezer.flows.image import current_lock
from freezer.flows.image.build import build
from freezer.flows.image.current_lock import load_current_lock, spec_change
from freezer.flows.project.environment import Locked, read_lock
from freezer.flows.project.project import Project
from freezer.image.layout import LOCK_LABEL
from freezer.model.events import SilentReporter
from freezer.model.record.verdict import Word
from tests.support.host.fake_engine import FakeEngine
from tests.support.project.records import lines
from tests.support.python.indexes import serve
from tests.support.python.updates import Env
from tests.support.registry.registries import make_config

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[4]
SMOKE = {"command": ["python", "train.py"], "files": ["train.py"], "training": ["numpy"]}
BASE = b"base"


class Stage:
    """A locked and built environment with a training of its own, and an engine of no engine."""

    def __init__(self, root: Path, env: Env) -> None:
        self.root, self.env, self.engine = root, env, FakeEngine()
        self.project: Project = replace(env.opened, engine=lambda: self.engine)  # type: ignore[arg-type,return-value]
        (root / "train.py").write_text("print('old')\n")
        self.spec()
        env.lock("numpy", smoke=SMOKE, env={"RATE": "1"})
        image = self.engine.make(make_config([BASE], Labels={LOCK_LABEL: self.locked.id}), BASE)
        self.project.store.put_memo("verified-image", self.locked.id, image.id)
        self.engine.told = [self.engine.told[0], *lines("numpy"), *lines("own")]

    def spec(self, requirement: str = "numpy", rate: str = "1") -> None:
        self.env.spec(requirement, smoke=SMOKE, env={"RATE": rate})

    @property
    def locked(self) -> Locked:
        found = read_lock(self.root, "demo")
        assert found is not None
        return found

    @property
    def warnings(self) -> list[str]:
        return [line for line in self.env.ear.warnings if line.startswith("the spec")]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    with serve() as index:
        index.add("pip", "25", uploaded="2025-01-01T00:00:00Z")
        index.add("numpy", "1.0", uploaded="2025-12-01T00:00:00Z")
        return Stage(tmp_path, Env(tmp_path, index, "uv"))


def edit_file(stage: Stage) -> None:
    (stage.root / "train.py").write_text("print('new')\n")


def edit_setting(stage: Stage) -> None:
    stage.spec(rate="2")


def edit_requirement(stage: Stage) -> None:
    stage.spec("numpy>=1")


EDITS = [
    pytest.param(edit_file, "smoke file train.py: changed", id="a file of the training"),
    pytest.param(edit_setting, "variable RATE", id="a setting"),
    pytest.param(edit_requirement, "other Python packages", id="a requirement"),
]


@pytest.mark.parametrize("use", [check, build], ids=["check", "build"])
@pytest.mark.parametrize(("edit", "said"), EDITS)
def test_a_command_says_in_one_line_that_the_spec_moved(
    stage: Stage, edit: Callable[[Stage], None], said: str, use: Callable[..., object]
) -> None:
    use(stage.project, None)
    assert stage.warnings == []
    edit(stage)
    use(stage.project, None)
    [warning] = stage.warnings
    assert warning.startswith("the spec has changed since this lock (")
    assert said in warning
    assert "run `freeze lock demo`" in warning


@pytest.mark.parametrize("words", [("1", "current"), ("1", None), ("demo", "1")])
def test_a_comparison_with_the_current_lock_says_so_too(
    stage: Stage, words: tuple[str, str | None]
) -> None:
    edit_file(stage)
    diff(stage.project, None, *words)
    [warning] = stage.warnings
    assert "smoke file train.py: changed" in warning


def test_a_comparison_of_generations_says_nothing_of_the_spec(stage: Stage) -> None:
    edit_file(stage)
    diff(stage.project, None, "1", "1")
    assert stage.warnings == []


def test_the_verdict_is_still_that_on_the_lock(stage: Stage) -> None:
    assert check(stage.project, None).verdict.word is Word.IDENTICAL
    edit_file(stage)
    assert check(stage.project, None).verdict.word is Word.IDENTICAL


def test_a_spec_that_cannot_be_read_is_said_to_be_so(stage: Stage) -> None:
    (stage.root / "train.py").unlink()
    assert "cannot be compared with this lock: train.py cannot be read" in _change(stage)
    (stage.root / "freeze.yaml").write_text("name: [")
    assert "cannot be compared with this lock" in _change(stage)


def _change(stage: Stage) -> str:
    return spec_change(stage.project, stage.locked) or ""


def test_a_lock_without_its_spec_is_used_without_a_word(stage: Stage) -> None:
    (stage.root / "freeze.yaml").unlink()
    assert load_current_lock(stage.project, "demo").id == stage.locked.id
    assert stage.warnings == []


def test_so_is_one_next_to_the_spec_of_another_environment(stage: Stage) -> None:
    text = (stage.root / "freeze.yaml").read_text()
    (stage.root / "freeze.yaml").write_text(text.replace("name: demo", "name: other"))
    assert load_current_lock(stage.project, "demo").id == stage.locked.id
    assert stage.warnings == []


def test_an_untouched_spec_of_a_shipped_environment_is_compared_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_lock, "SLACK", -(10**12))  # its files count as old
    for part in ("images", "lockfiles"):
        shutil.copytree(ROOT / part / "sklearn-cpu", tmp_path / part / "sklearn-cpu")
    store = Store.open(tmp_path / "store")
    project = Project(tmp_path, Config(), store, lambda: None, SilentReporter())  # type: ignore[arg-type,return-value]
    locked = read_lock(tmp_path, "sklearn-cpu")
    assert locked is not None
    compared = []
    real = current_lock._spec_change
    monkeypatch.setattr(
        current_lock, "_spec_change", lambda *given: compared.append(1) or real(*given)
    )
    assert spec_change(project, locked) is None
    assert spec_change(project, locked) is None
    assert len(compared) == 1
    assert spec_change(replace(project, config=Config(ledger="sqlite://")), locked) is None
    assert len(compared) == 2
    spec = tmp_path / "images/sklearn-cpu/freeze.yaml"
    spec.write_text(spec.read_text() + "env: {RATE: '1'}\n")
    assert "the spec has changed" in str(spec_change(project, locked))
    assert "the spec has changed" in str(spec_change(project, locked))
    assert len(compared) == 3


def test_a_spec_that_was_just_written_is_compared_each_time(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "young"
    for part in ("images", "lockfiles"):
        shutil.copytree(ROOT / part / "sklearn-cpu", folder / part / "sklearn-cpu")
    locked = read_lock(folder, "sklearn-cpu")
    assert locked is not None
    assert current_lock._key(replace(stage.project, root=folder), locked) is None
    assert current_lock._key(stage.project, stage.locked) is None, "the project's own folder"


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("notes.txt", "numpy>=1\n# https://example.org/a\n", True),
        ("train.py", "open('../data')\n", True),
        ("base.in", "-r ../common.in\n", False),
        ("base.in", "-r /srv/common.in\n", False),
        ("base.in", "own @ file:///srv/own.whl\n", False),
        ("base.in", "-r ${HOME}/common.in\n", False),
        ("base.in", "-r ~/common.in\n", False),
        ("environment.yml", "dependencies: [pip: [-r:/srv/x]]\n", False),
        ("pyproject.toml", "[project]\n", False),
    ],
)
def test_a_spec_whose_files_may_name_others_elsewhere_is_compared_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, kept: bool
) -> None:
    monkeypatch.setattr(current_lock, "SLACK", -(10**12))
    for part in ("images", "lockfiles"):
        shutil.copytree(ROOT / part / "sklearn-cpu", tmp_path / part / "sklearn-cpu")
    (tmp_path / "images/sklearn-cpu" / name).write_text(text)
    store = Store.open(tmp_path / "store")
    project = Project(tmp_path, Config(), store, lambda: None, SilentReporter())  # type: ignore[arg-type,return-value]
    locked = read_lock(tmp_path, "sklearn-cpu")
    assert locked is not None
    assert (current_lock._key(project, locked) is not None) is kept
