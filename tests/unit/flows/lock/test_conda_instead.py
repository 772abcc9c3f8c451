"""A CUDA, a cuDNN or a BLAS that channels have not: refused with the nearest that they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from freezer.errors import ResolveError
from freezer.fetch.config import Config
from freezer.flows.lock.conda import CondaResolver, read_conda
from freezer.flows.lock.interface import Below, DebianAnswer, LockRequest
from freezer.flows.project.environment import load_environment
from freezer.flows.project.project import Project
from freezer.model.events import SilentReporter
from tests.support.conda.condaindex import Room, record

pytestmark = pytest.mark.process

INSTALLED = DebianAnswer(
    packages=(), architecture="x86_64", glibc="2.36", distribution="debian 12", python=None
)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A channel with PyTorch for four CUDAs, of which 12.4 has an old cuDNN only."""
    room = Room(tmp_path)
    builds = {
        "2.4": ("12.4", "8"),
        "2.5": ("12.1", "9"),
        "2.6": ("12.6", "9"),
        "2.8": ("13.0", "9"),
    }
    room.channel(
        "forge",
        record("python", "3.12.1"),
        *(record("cuda-version", cuda) for cuda in ("12.1", "12.4", "12.6", "12.9", "13.0")),
        *(record("cudnn", version) for version in ("8.9", "9.3")),
        *(
            record(
                "pytorch",
                torch,
                f"cuda_{cuda}",
                depends=[f"cuda-version {cuda}.*", f"cudnn {cudnn}.*", "libblas", "__cuda"],
            )
            for torch, (cuda, cudnn) in builds.items()
        ),
        record("pytorch", "2.8", "cpu_1", depends=["libblas"]),
        record("numpy", "2.0", depends=["libblas"]),
        *(record("libblas", "3.9", f"1_{kind}") for kind in ("openblas", "mkl")),
    )
    return room


def refusal(room: Room, *asked: str, **wishes: Any) -> ResolveError:
    """Resolve a spec's conda half, which has no answer; return the error."""
    spec = {
        "name": "demo",
        "base": {"bootstrap": "bookworm"},
        "python": "3.12",
        "conda": {"channels": [room.channels[0].urls[0]], "dependencies": list(asked)},
        **wishes,
    }
    (room.folder / "freeze.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    environment = load_environment(room.folder, None)
    project = Project(room.folder, Config(), room.store, lambda: None, SilentReporter())  # type: ignore[arg-type, return-value]
    resolver = CondaResolver(read_conda(environment, project.config))
    request = LockRequest(environment, "2026-06-01T00:00:00Z", None)
    with pytest.raises(ResolveError) as caught:
        resolver.resolve(project, request, Below({"debian": INSTALLED}))
    return caught.value


def test_the_nearest_cuda_and_cudnn_are_those_that_solve(room: Room) -> None:
    error = refusal(room, "pytorch", accelerator={"cuda": "12.4", "cudnn": "9"})
    assert error.what == "the channels have no packages for `accelerator`"
    assert error.where is not None
    assert error.where.key == "accelerator"
    assert error.expected == (
        "CUDA 12.4 with cuDNN 8.9 (pytorch 2.4); or CUDA 12.1 with cuDNN 9.3 (pytorch 2.5); or "
        "CUDA 12.6 with cuDNN 9.3 (pytorch 2.6)"
    )
    assert error.hint is not None
    assert error.hint.startswith("set accelerator to the requested value, or add a channel")


def test_what_is_far_off_is_named_where_nothing_is_near(room: Room) -> None:
    error = refusal(room, "pytorch>=2.8", accelerator={"cuda": "11.8"})
    assert error.expected == "CUDA 13.0 with cuDNN 9.3 (pytorch 2.8)"


def test_a_cuda_newer_than_any_names_the_newest(room: Room) -> None:
    error = refusal(room, "pytorch", accelerator={"cuda": "13.2", "driver": ">=999"})
    assert error.expected == "CUDA 13.0 with cuDNN 9.3 (pytorch 2.8)"


def test_a_blas_names_those_that_solve(room: Room) -> None:
    error = refusal(room, "numpy", blas="netlib", accelerator={"cuda": "12.6"})
    assert error.what == "the channels have no packages for `blas`"
    assert error.expected == "blas: openblas or mkl"


def test_both_at_fault_are_both_named(room: Room) -> None:
    error = refusal(room, "pytorch", blas="netlib", accelerator={"cuda": "12.9"})
    assert error.what == "the channels have no packages for `accelerator` and `blas`"


def test_a_clash_of_the_packages_themselves_stays_what_it_is(room: Room) -> None:
    asked = ("pytorch", "cuda-version 12.9.*", "pytorch=2.4")
    error = refusal(room, *asked, blas="mkl", accelerator={"cuda": "12.4"})
    assert error.what == "these conda packages conflict"
    assert error.expected is None
