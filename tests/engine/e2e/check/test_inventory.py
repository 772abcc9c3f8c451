"""The inventory of a real image: NumPy's wheel with its own BLAS, and Debian's NumPy with Debian's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.check.inventory.take import take_inventory
from freezer.engine.interface import Engine, RunOptions
from tests.support.host.commands import Project, forget
from tests.support.waiting import ends_soon

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


@pytest.fixture(scope="module")
def two_blas(
    engine: Engine, locked: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """The project of these tests with Debian's NumPy in its image, on the BLAS that is chosen."""
    project = locked.copy(tmp_path_factory.mktemp("blas") / "project")
    project.spec(system=["python3-numpy"], blas="openblas")
    project.freeze("lock").good()
    project.freeze("build").good()
    yield project
    for image in engine.images(label=f"org.freezer.lock-id={project.lock_id}"):
        forget(engine, image)


def test_both_blas_are_found_with_their_owners_and_users(two_blas: Project) -> None:
    document = two_blas.freeze("inventory", "--json").good().document
    blas = [item for item in document["inventory"]["libraries"] if "blas" in item["roles"]]
    by_owner = {item["owner"]: item for item in blas}
    assert set(by_owner) == {"pip:numpy", "debian:libopenblas0-pthread"}
    wheels, debians = by_owner["pip:numpy"], by_owner["debian:libopenblas0-pthread"]
    assert (wheels["name"], debians["name"]) == ("OpenBLAS", "OpenBLAS")
    assert wheels["loaded-by"] == ["pip:numpy"]
    assert wheels["owner-version"] == two_blas.lock.pip[0].version
    assert debians["version"].startswith("0.3.")
    assert debians["loaded-by"] == ["debian:python3-numpy"]
    (said,) = [text for text in document["doubles"] if text.startswith("2 BLAS: ")]
    assert "(debian:libopenblas0-pthread), loaded by debian:python3-numpy" in said
    assert "the same product rounds differently" in said


def test_the_alternative_that_was_asked_for_is_the_one_that_debian_loads(
    two_blas: Project, engine: Engine
) -> None:
    """Chosen when it was locked, by the priorities of Debian's alternatives; seen in a process."""
    assert [item.name for item in two_blas.lock.debian if item.name.startswith("libopenblas")]
    loaded = "import numpy.linalg; print(open('/proc/self/maps').read())"
    command = ["/usr/bin/python3", "-c", loaded]
    done = engine.run(f"{two_blas.name}:latest", command, RunOptions())
    assert done.exit_code == 0, done.stderr.decode()
    assert b"/openblas-pthread/libblas.so.3" in done.stdout
    assert b"/blas/libblas.so.3" not in done.stdout


def test_it_is_kept_beside_the_lock_and_said_to_people(two_blas: Project) -> None:
    said = two_blas.freeze("inventory").good().out
    kept: Path = two_blas.lock_file.parent / "inventory.json"
    assert f"kept in lockfiles/{two_blas.name}/inventory.json" in said
    assert json.loads(kept.read_bytes())["schema"] == "freezer/inventory/1"
    assert "warning:" in said


def test_the_same_image_gives_the_same_inventory_in_moments(
    two_blas: Project, engine: Engine
) -> None:
    image = engine.image(f"{two_blas.name}:latest")
    assert image is not None
    with ends_soon():
        first = take_inventory(engine, image.id)
    assert take_inventory(engine, image.id) == first


def test_a_reference_names_the_blas(two_blas: Project) -> None:
    two_blas.freeze("check").good()
    (reference,) = two_blas.references
    noted = json.loads(reference.read_bytes())["inventory"]["numerics"]
    assert ("blas", "pip:numpy") in {(item["role"], item.get("owner")) for item in noted}
