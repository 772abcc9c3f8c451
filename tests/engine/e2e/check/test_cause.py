"""Why numbers moved, found by experiment in a real image; and a CPU with other kernels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from freezer.check.reference import write_reference
from freezer.check.smoke import Varied, run_smoke
from freezer.engine.interface import Engine, ImageInfo
from freezer.inside.freezer_inside.determinism import pinned
from freezer.model.events import SilentReporter
from freezer.model.record.record import Observation, ReadBack, Record
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

OLDER = {"OPENBLAS_CORETYPE": "Nehalem"}
"""What makes OpenBLAS run as it would on a CPU without AVX."""
Trained = Callable[..., Record]


@pytest.fixture(scope="module")
def trained(engine: Engine, built: Project, image: ImageInfo) -> Trained:
    """Return a function that trains under variables."""

    def train(environment: Mapping[str, str]) -> Record:
        return run_smoke(
            built.lock,
            built.lock_id,
            image.id,
            engine=engine,
            report=SilentReporter(),
            title="",
            varied=Varied(environment),
        )

    return train


@pytest.fixture(scope="module")
def native(trained: Trained) -> Record:
    return trained({})


@pytest.fixture(scope="module")
def older(engine: Engine, trained: Trained) -> Record:
    """Return what an older CPU computes: the class of its host names the kernels."""
    if engine.info.architecture != "x86_64":
        pytest.skip("these kernels are those of x86-64")
    return trained(OLDER)


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    return built.copy(tmp_path / "project")


def as_if_it_were_so(record: Record, native: Record) -> Record:
    """Return a record of older kernels as a host would tell it whose CPU has no others.

    Its class is made this host's, so that the two are compared at all.
    """
    settings = {k: v for k, v in record.host.settings.items() if k not in OLDER}
    host = record.host.model_copy(update={"settings": settings, "class_": native.host.class_})
    [training] = record.trainings
    kept = tuple(one for one in training.observations if not _pinned(one))
    told = training.model_copy(update={"observations": kept})
    return record.model_copy(update={"host": host, "trainings": (told,)})


def _pinned(one: Observation) -> bool:
    return isinstance(one, ReadBack) and one.name in OLDER


def test_kernels_are_put_back_and_named_as_the_cause(
    project: Project, older: Record, native: Record
) -> None:
    write_reference(project.lock_file.parent, as_if_it_were_so(older, native))
    page = project.folder / "report.html"
    said = project.freeze("check", "--report", str(page)).good().out
    assert "equivalent" in said  # rounding, and kernels that explain it
    assert "differs: the BLAS kernels" in said
    assert (
        "with OpenBLAS's kernels for Nehalem, as in the reference, all results are restored" in said
    )
    assert "numpy differs first in" in said
    assert "restored alone: all results restored" in page.read_text()


def test_what_was_tried_and_was_not_the_cause_is_said(
    project: Project, older: Record, native: Record
) -> None:
    """The seed is the spec's and cannot be put back; the hash seed can, and changes nothing."""
    wrong = as_if_it_were_so(older, native)
    settings = {**native.host.settings, "PYTHONHASHSEED": "7"}
    host = native.host.model_copy(update={"settings": settings})
    write_reference(project.lock_file.parent, wrong.model_copy(update={"host": host}))
    said = project.freeze("check").failed(1, "drifted").out
    assert "experiment: with PYTHONHASHSEED=7, as in the reference, still drifted" in said
    assert "no single setting restores the results" in said


def test_another_kernel_family_is_not_comparable_and_is_named(
    project: Project, older: Record, native: Record
) -> None:
    assert older.host.class_ != native.host.class_
    assert older.host.class_.endswith("-nehalem")
    path = write_reference(project.folder, older)
    image = older.image
    said = project.freeze("check", image, "--reference", str(path), "--json").failed(1)
    assert said.document["verdict"] == "not comparable"
    assert older.host.class_ in json.dumps(said.document)
    assert native.host.class_ in json.dumps(said.document)
    # Beside a lock it is told for information, with where the two part; it decides nothing.
    write_reference(project.lock_file.parent, older)
    text = project.freeze("check").good().out
    assert f"compared with the results of numerics class {older.host.class_}: numpy drifted" in text


def test_portable_numerics_are_the_same_whatever_the_cpu_could_do_better(
    engine: Engine, trained: Trained, native: Record
) -> None:
    if engine.info.architecture != "x86_64":
        pytest.skip("these kernels are those of x86-64")
    portable = {**pinned(), "FREEZER_NUMERICS": "portable"}
    lesser = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ"}
    first, second = trained(portable), trained({**portable, **lesser})
    assert first.trainings[0].observations == second.trainings[0].observations
    assert first.host.class_ == second.host.class_ == "portable-x86-64-v3"
