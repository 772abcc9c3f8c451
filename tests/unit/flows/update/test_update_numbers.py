"""`freeze update` and `lock` report changed numbers before they write, and are silent otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.flows.lock.lock import lock
from freezer.flows.project.environment import load_environment
from freezer.flows.project.project import Project
from freezer.flows.update.update import UpdateRequest, update
from freezer.flows.why.why import why
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from freezer.output.lock.update import document
from tests.support.conda.condaindex import DAY, JANUARY, record, write_channel
from tests.support.host.hosts import Ear
from tests.support.project.locks import make_lock
from tests.support.project.questions import settled_questions
from tests.support.project.streams import Step, changing, staying

pytestmark = pytest.mark.process

EARLY, LATE = "2026-01-15T00:00:00Z", "2026-03-01T00:00:00Z"
LATER = {"timestamp": JANUARY + 30 * DAY}


def steps(found: list[Step], count: int) -> list[Step]:
    """Return a step of each package, as a channel has one old and one new version of it."""
    return list({step[0]: step for step in reversed(found)}.values())[:count]


class Writing(Ear):
    """A reporter that keeps what the lock's file was when a note came."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file, self.seen = file, list[tuple[str, bytes]]()

    def note(self, text: str) -> None:
        super().note(text)
        if text.startswith("Changes numbers: "):
            self.seen.append((text, self.file.read_bytes()))


def project(root: Path, *steps: Step) -> tuple[Project, Writing]:
    """Return a project whose conda packages are locked at the first versions of some steps."""
    records = [record("python", "3.11.9", "h1_cpython")]
    records += [
        one
        for name, old, new in steps
        for one in (record(name, old, "py311_0"), record(name, new, "py311_0", **LATER))
    ]
    spec = {
        "name": "demo",
        "base": "debian:bookworm-slim",
        "python": "3.11",
        "conda": {
            "channels": [write_channel(root / "channel", *records)],
            "dependencies": ["python=3.11", *(name for name, _, _ in steps)],
            "resolver": "rattler",
        },
    }
    (root / "freeze.yaml").write_text(yaml.safe_dump(spec))
    file = root / "lockfiles" / "demo" / LOCK_FILE
    ear = Writing(file)
    opened = Project(root, Config(), Store.open(root / "store"), _no_engine, ear)
    environment = load_environment(root, None)
    made = make_lock(debian=(), pip=(), as_of=EARLY)
    answers = settled_questions(environment, made)
    file.parent.mkdir(parents=True)
    file.write_bytes(lock_bytes(made.model_copy(update={"answers": answers})))
    lock(opened, None, as_of=EARLY)
    assert ear.seen == []
    return opened, ear


def _no_engine() -> None:
    raise AssertionError("nothing of this needs an engine")


def test_updates_across_a_change_are_reported_before_anything_is_written(tmp_path: Path) -> None:
    chosen = steps(changing(), 10)
    opened, ear = project(tmp_path, *chosen)
    before = ear.file.read_bytes()
    names = tuple(name for name, _, _ in chosen)
    found = update(opened, None, UpdateRequest(names, as_of=LATE))
    assert found.written is not None
    wanted = [f"{name} {old} to {new}" for name, old, new in sorted(chosen)]
    prefix, link = "Changes numbers: ", " changes the numbers of "
    assert [text.removeprefix(prefix).partition(link)[0] for text, _ in ear.seen] == wanted
    assert {at_that_time for _, at_that_time in ear.seen} == {before}
    assert before != ear.file.read_bytes()
    listed = document(found)["numbers"]
    assert [f"{one['package']} {one['before']} to {one['after']}" for one in listed] == wanted


def test_updates_that_change_no_numbers_are_silent(tmp_path: Path) -> None:
    chosen = steps(staying(), 10)
    opened, ear = project(tmp_path, *chosen)
    found = update(opened, None, UpdateRequest(tuple(step[0] for step in chosen), as_of=LATE))
    assert found.written is not None
    assert found.numbers == ()
    assert ear.seen == []


def test_lock_reports_it_as_well_and_why_names_the_releases(tmp_path: Path) -> None:
    [(name, old, new)] = chosen = steps(changing(), 1)
    opened, ear = project(tmp_path, *chosen)
    before = ear.file.read_bytes()
    file = opened.root / "freeze.yaml"
    spec = yaml.safe_load(file.read_text())
    spec["conda"]["dependencies"][-1] = f"{name}={new}"
    file.write_text(yaml.safe_dump(spec))
    found = lock(opened, None, as_of=LATE)
    assert [(one.before, one.after) for one in found.numbers] == [(old, new)]
    assert [seen for _, seen in ear.seen] == [before]
    [answer] = why(opened, None, name).answers
    assert (old, new) in [step for stream in answer.numbers for step in stream.changes()]
