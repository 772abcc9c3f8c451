"""What is said when nothing answers: whose line it is, what there is instead, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import ResolveError
from freezer.resolve.conda.solver.proof import tidy
from tests.support.conda.condaindex import DAY, JANUARY, Room, record


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.mark.process
def test_no_such_package_names_the_near_ones(room: Room) -> None:
    room.channel("forge", record("scikit-learn"), record("numpy"))
    error = room.fails("numpy", "scikit-lern")
    assert str(error).splitlines() == [
        "environment.yml:2: no channel has a package called scikit-lern for linux-64",
        "  found:    channels: forge",
        "  next:     did you mean scikit-learn?",
    ]


@pytest.mark.process
def test_no_such_package_and_nothing_near(room: Room) -> None:
    room.channel("forge", record("numpy"))
    room.channel("other", record("scipy"))
    error = room.fails("zzzzzz")
    assert error.found == "channels: forge, other"
    assert error.hint == "check its spelling, or add a channel"


@pytest.mark.process
def test_a_package_of_another_channel(room: Room) -> None:
    room.channel("forge", record("numpy"))
    room.channel("nvidia", record("cuda"))
    assert room.fails("nvidia::numpy").hint == "forge has it"
    assert "add torch to `channels`" in str(room.fails("torch::pytorch"))


@pytest.mark.process
def test_no_such_version_names_the_newest(room: Room) -> None:
    room.channel("forge", *(record("numpy", f"2.{minor}") for minor in range(9)))
    error = room.fails("numpy >=3")
    assert error.what == "no build of numpy satisfies numpy >=3"
    assert error.found == "the newest are 2.8, 2.7, 2.6, 2.5, 2.4 (forge)"


@pytest.mark.process
@pytest.mark.parametrize("text", ["numpy=1.11", "numpy==1.11.2", "numpy 1.11.*"])
def test_no_such_version_names_those_next_to_one_that_is_pinned(room: Room, text: str) -> None:
    room.channel("forge", *(record("numpy", version) for version in ("1.9", "1.12", "2.0", "2.11")))
    assert room.fails(text).found == "the nearest are 1.12, 1.9, 2.0 (forge)"


@pytest.mark.process
def test_no_such_build(room: Room) -> None:
    builds = ("1_openblas", "2_openblas", "1_blis")
    room.channel("forge", *(record("libblas", version, b) for b in builds for version in "34"))
    error = room.fails("libblas=3=*mkl")
    assert error.what == "no build of libblas satisfies libblas=3=*mkl"
    assert error.found == "the nearest are 3 2_openblas, 3 1_openblas, 3 1_blis (forge)"


@pytest.mark.process
def test_all_that_is_missing_is_said_at_once(room: Room) -> None:
    later = record("scipy", "2.0", timestamp=JANUARY + 300 * DAY)
    room.channel("forge", record("numpy", "2.0"), record("python"), later)
    room.channel("other", record("tqdm"))
    error = room.fails("python", "numpy=1.9", "nunpy", "tqdm", "cpuonly", "other::numpy", "scipy")
    assert str(error).splitlines() == [
        "environment.yml:2: 5 of 7 conda specs are satisfied by no channel for linux-64",
        "  - environment.yml:2: no build of numpy satisfies numpy=1.9: the nearest is 2.0",
        "  - environment.yml:3: no channel has a package called nunpy: did you mean numpy?",
        "  - environment.yml:5: no channel has a package called cpuonly: leave it out and name a CPU build: `pytorch=*=cpu*`",
        "  - environment.yml:6: the channel other has no package called numpy: forge has it",
        "  - environment.yml:7: all builds that satisfy scipy are newer than 2026-06-01T00:00:00Z: the first was built at 2026-10-28T00:00:00Z",
        "  found:    channels: forge, other",
        "  next:     change these lines, or add channels that have these packages",
    ]


@pytest.mark.process
def test_nothing_is_old_enough(room: Room) -> None:
    room.channel("forge", record("numpy", "2.0", timestamp=JANUARY + 3 * DAY))
    error = room.fails("numpy", as_of="2026-01-01T00:00:00Z")
    assert isinstance(error, ResolveError)
    assert error.what == "all builds that satisfy numpy are newer than 2026-01-01T00:00:00Z"
    assert error.found == "the first was built at 2026-01-04T00:00:00Z"


@pytest.mark.process
def test_a_dependency_that_is_too_new_is_named(room: Room) -> None:
    room.channel(
        "forge",
        record("scipy", depends=["numpy >=2"]),
        record("numpy", "2.0", timestamp=JANUARY + 200 * DAY),
    )
    error = room.fails("scipy")
    assert any("newer than the cut-off 2026-06-01" in line for line in error.details)


@pytest.mark.process
def test_a_conflict_names_the_lines_that_take_part(room: Room) -> None:
    room.channel(
        "forge",
        record("python", "3.12"),
        record("python", "3.13"),
        record("numpy", "1.26", depends=["python >=3.12,<3.13.0a0"]),
        record("tqdm"),
    )
    error = room.fails("tqdm", "python 3.13.*", "numpy =1.26")
    assert str(error).splitlines() == [
        "environment.yml:2: these conda packages conflict",
        "  - python 3.13.*",
        "  - numpy 1.26.*",
        "  -   numpy 1.26 needs python >=3.12,<3.13.0a0",
        "  - python 3.13.* is requested in environment.yml:2",
        "  - numpy =1.26 is requested in environment.yml:3",
        "  next:     loosen one of the versions named above",
    ]


@pytest.mark.process
def test_a_dependency_that_no_channel_has(room: Room) -> None:
    room.channel("forge", record("scipy", depends=["libfortran 5.*"]))
    error = room.fails("scipy")
    assert "scipy 1.0 needs libfortran 5.*, which no channel has" in str(error)


@pytest.mark.process
def test_a_gpu_that_was_not_declared(room: Room) -> None:
    room.channel("forge", record("torch", "2.0", "cuda_0", depends=["__cuda"]))
    error = room.fails("torch=*=cuda*")
    assert "torch 2.0 needs __cuda, undeclared" in str(error)
    assert "accelerator: {cuda: ...}" in str(error.hint)


def test_a_proof_loses_its_repetitions() -> None:
    proof = """Cannot solve the request because of: The following packages are incompatible
├─ python 3.13.* cannot be installed because there are no viable options:
│  ├─ python 3.13.1, which conflicts with the versions reported above.
│  └─ python 3.13.0, which conflicts with the versions reported above.
└─ numpy 1.26.* cannot be installed because there are no viable options:
   ├─ numpy 1.26.3 | 1.26.4 would require
   │  └─ python >=3.12,<3.13.0a0, which cannot be installed because there are no viable options:
   │     └─ python 3.12.0, which conflicts with the versions reported above.
   └─ numpy 1.26.3 | 1.26.4 would require
      └─ python >=3.12,<3.13.0a0, which cannot be installed because there are no viable options:
         └─ python 3.12.0, which conflicts with the versions reported above.
"""
    assert tidy(proof) == [
        "python 3.13.*",
        "numpy 1.26.*",
        "  numpy 1.26.3 | 1.26.4 needs python >=3.12,<3.13.0a0",
    ]


@pytest.mark.process
def test_a_long_proof_is_cut(room: Room) -> None:
    room.channel(
        "forge",
        record("b", "1.0"),
        record("b", "9.0"),
        *(record("a", f"1.{i}", depends=[f"b ==1.0.{i}"]) for i in range(40)),
    )
    error = room.fails("a", "b 9.*")
    assert len(error.details) < 24
    assert any(line.startswith("…") for line in error.details)
