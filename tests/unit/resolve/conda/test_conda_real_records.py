"""Genuine records of conda-forge: real questions, and rattler's own answers to them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rattler

from freezer.errors import ResolveError
from freezer.fetch.conda.channels import CondaChannel, read_channels
from freezer.fetch.config import Config
from freezer.model.events import SilentReporter
from freezer.model.spec.spec import CondaSpec
from freezer.resolve.conda import export
from freezer.resolve.conda.environment import gather_conda
from freezer.resolve.conda.names import provided_by_conda
from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module
from freezer.resolve.conda.solver.interface import CondaRequest, CondaResolution
from freezer.resolve.conda.solver.rattler import solve
from freezer.resolve.conda.solver.virtual_packages import solver_form, virtual_packages
from freezer.resolve.conda.specname import spec_name
from freezer.resolve.conda.takeover.complete import import_runs
from tests.support.conda.conda_forge import SECTIONS, SUBDIRS, conda_forge
from tests.support.conda.condaindex import Room, pins
from tests.support.project.locks import make_lock

pytestmark = pytest.mark.process

AS_OF = "2026-09-01T00:00:00Z"
PLAIN = virtual_packages("2.36", "linux-64")
CUDA = virtual_packages("2.36", "linux-64", "12.4")
QUESTIONS: dict[str, tuple[list[str], dict[str, str]]] = {
    "openblas": (["python 3.12.*", "numpy", "scikit-learn", "libblas=*=*openblas"], PLAIN),
    "mkl": (["python 3.12.*", "numpy", "scikit-learn", "libblas=*=*mkl"], PLAIN),
    "cuda": (["pytorch=*=cuda*", "cuda-version 12.*", "cudnn"], CUDA),
}
ENVIRONMENTS = Path(__file__).parents[3] / "data" / "environments"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return conda_forge(tmp_path_factory.mktemp("conda-forge"))


@pytest.fixture
def room(tmp_path: Path, folder: Path) -> Room:
    made = Room(tmp_path)
    made.channels = [CondaChannel("conda-forge", (folder.as_uri(),))]
    return made


def by_rattler(folder: Path, specs: list[str], declared: dict[str, str]) -> dict[str, str]:
    packages = [
        rattler.GenericVirtualPackage(
            rattler.PackageName(name), rattler.Version(version), rattler.BuildString(build)
        )
        for name, version, build in (solver_form(*item) for item in declared.items())
    ]
    channel = rattler.Channel("conda-forge")
    records = asyncio.run(
        rattler.solve_with_sparse_repodata(
            [rattler.MatchSpec(text) for text in specs],
            [
                rattler.SparseRepoData(channel, subdir, folder / subdir / "repodata.json")
                for subdir in ("linux-64", "noarch")
            ],
            virtual_packages=packages,
            exclude_newer=datetime.fromisoformat(AS_OF).astimezone(UTC),
        )
    )
    return {item.name.normalized: f"{item.version} {item.build}" for item in records}


@pytest.mark.parametrize("title", QUESTIONS)
def test_the_answer_is_rattlers_own(room: Room, folder: Path, title: str) -> None:
    specs, declared = QUESTIONS[title]
    found = room.solve(*specs, virtual_packages=declared, as_of=AS_OF)
    assert pins(found) == by_rattler(folder, specs, declared)
    assert all(item.timestamp for item in found.packages)


def test_each_blas_is_the_one_that_was_asked_for(room: Room) -> None:
    for kind in ("openblas", "mkl"):
        specs, declared = QUESTIONS[kind]
        found = pins(room.solve(*specs, virtual_packages=declared, as_of=AS_OF))
        assert found["libblas"].endswith(f"_{kind}")
        assert found["liblapack"].endswith(f"_{kind}")
        assert ("mkl" in found) == (kind == "mkl")


def test_a_gpu_build_is_chosen_where_it_is_demanded(room: Room) -> None:
    specs, declared = QUESTIONS["cuda"]
    found = pins(room.solve(*specs, virtual_packages=declared, as_of=AS_OF))
    assert "cuda12" in found["pytorch"]
    assert found["cuda-version"].startswith("12.")
    assert "cudnn" in found
    error = room.fails(*specs, virtual_packages=PLAIN, as_of=AS_OF)
    assert "accelerator: {cuda: ...}" in str(error.hint)


def test_conda_says_what_pip_must_not_replace(room: Room) -> None:
    specs, declared = QUESTIONS["cuda"]
    found = room.solve(*specs, virtual_packages=declared, as_of=AS_OF)
    held = {name: version for name, (_, version) in provided_by_conda(found.packages).items()}
    by_name = {item.name: item.version for item in found.packages}
    assert held["torch"] == by_name["pytorch"]
    assert held["numpy"] == by_name["numpy"]
    assert not {"mkl", "cudnn", "python", "libblas"} & set(held)


@pytest.mark.parametrize("title", QUESTIONS)
def test_the_exported_lock_gives_the_same_packages(room: Room, folder: Path, title: str) -> None:
    specs, declared = QUESTIONS[title]
    request = room.request(*specs, virtual_packages=declared, as_of=AS_OF)
    found = room.solve(*specs, virtual_packages=declared, as_of=AS_OF)
    lock = make_lock(conda=found.packages, virtual_packages=declared)
    source = export.environment_yaml(room.channels, request.specs)
    (room.folder / "conda-lock.yml").write_bytes(
        export.conda_lock_yaml(lock, room.channels, source)
    )
    parse = conda_lock_module("lockfile").parse_conda_lock_file
    assert len(parse(room.folder / "conda-lock.yml").package) == len(found.packages)

    config = Config.model_validate({"sources": {"conda": {"conda-forge": [folder.as_uri()]}}})
    back = gather_conda(room.folder, CondaSpec(file="conda-lock.yml"), "3.12", config=config)
    ask: dict[str, Any] = {"store": room.store, "report": SilentReporter()}
    again = import_runs(back.locked, subdir="linux-64", **ask)
    left_out = {"reason", "requested"}
    assert [item.model_dump(exclude=left_out) for item in again.packages] == [
        item.model_dump(exclude=left_out) for item in found.packages
    ]


@pytest.mark.parametrize("file", sorted(ENVIRONMENTS.glob("*.yml")), ids=lambda file: file.stem)
def test_what_cannot_be_solved_says_what_is_missing(room: Room, folder: Path, file: Path) -> None:
    """Every channel of these files is the one that is at hand, which has little of them."""
    gathered = gather_conda(ENVIRONMENTS, CondaSpec(file=file.name), "3.12")
    written = [(channel.name, gathered.specs[0].where) for channel in gathered.channels]
    names = {channel.name: [folder.as_uri()] for channel in gathered.channels}
    config = Config.model_validate({"sources": {"conda": names}})
    request = CondaRequest(
        channels=read_channels(written, folder=room.folder, config=config),
        specs=gathered.specs,
        subdir="linux-64",
        virtual_packages=CUDA,
        as_of=AS_OF,
    )
    answer = attempt(room, request, config)
    if isinstance(answer, CondaResolution):
        assert len(answer.packages) > len(request.specs)
        return
    said = str(answer).splitlines()
    known = names_in(folder)
    for asked in (item for item in request.specs if spec_name(item.text) not in known):
        words = f"package called {spec_name(asked.text)}"
        assert any(f"{asked.where}: " in line and words in line for line in said)
    [asked, *_] = [item for item in request.specs if item.where == answer.where]
    assert spec_name(asked.text) in str(answer).lower()
    assert answer.hint


def names_in(folder: Path) -> set[str]:
    indexes = [json.loads((folder / part / "repodata.json").read_bytes()) for part in SUBDIRS]
    sections = [index[section] for index in indexes for section in SECTIONS]
    return {record["name"] for section in sections for record in section.values()}


def attempt(room: Room, request: CondaRequest, config: Config) -> CondaResolution | ResolveError:
    try:
        return solve(request, config=config, store=room.store, report=SilentReporter())
    except ResolveError as error:
        return error
