"""Small trainings that have a measured fault: ``freeze check`` names its cause first.

A few of ``python -m benchmarks.atlas.faults``, which runs all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.atlas.faults.catalogue import FAULTS, Fault
from benchmarks.atlas.faults.project import PROGRAM, spec
from freezer.engine.interface import Engine
from tests.support.host.commands import Project, forget

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]
FEW = {one.operation: one for one in FAULTS if one.package == "polars"}
"""Those that vary in every process: a race of threads may well end the same way twice."""
PIP = ["numpy==2.4.6", "polars==2.1.0"]


@pytest.fixture
def own(project: Project, built: Project, engine: Engine) -> Iterator[Project]:
    """Return a project for trainings of one's own; its images go when the test is over."""
    del built  # its base and its layers are used again
    yield project
    for image in engine.images(label=f"org.freezer.lock-id={project.lock_id}"):
        forget(engine, image)


def checked(project: Project, fault: Fault, program: str, good: int) -> dict[str, Any]:
    (project.folder / PROGRAM).write_text(program)
    wanted = spec(fault)
    project.spec(pip=PIP, **{name: wanted[name] for name in ("as-of", "determinism", "smoke")})
    for command in ("lock", "build"):
        project.freeze(command).good()
    done = project.freeze("check", "--json")
    assert done.code == good, done.err
    return done.document


def test_there_are_some() -> None:
    assert len(FEW) == 3


@pytest.mark.parametrize("fault", FEW.values(), ids=FEW)
def test_the_cause_is_named_first(own: Project, fault: Fault) -> None:
    found = checked(own, fault, fault.faulty, 1)
    assert (found["verdict"], found["recorded"]) == ("drifted", False)
    first = found["measured"][0]
    assert first.startswith(f"measured of {fault.package} ")
    assert f", {fault.operation}: " in first
    assert "what stops it: " in first


def test_with_the_setting_it_is_identical(own: Project) -> None:
    fault = FEW["LazyFrame.group_by(...).agg(sum).collect()"]
    found = checked(own, fault, fault.mended, 0)
    assert (found["verdict"], found["measured"]) == ("identical", [])
