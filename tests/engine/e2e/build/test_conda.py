"""Environments from a conda channel of real packages: locked, built, checked, one BLAS each."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rattler import PrefixRecord

from freezer.engine.interface import Engine, RunOptions
from freezer.fetch.store.store import Store
from freezer.image.clock import epoch
from freezer.image.conda.chunks import conda_chunks
from freezer.image.wheel.install import Layout
from freezer.model.canonical import digest, json_bytes
from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module, quiet
from freezer.resolve.conda.solver.virtual_packages import SUBDIRS as SUBDIRS_BY_PLATFORM
from tests.support.conda.channel import SUBDIRS, Channel, build_channel, served
from tests.support.conda.rattler_install import rattler_prefix
from tests.support.debian.bases import PLATFORMS, SILENT, kept_store
from tests.support.host.commands import LINKED, Project, forget

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]
NAME = f"freezer-test-{os.getpid()}"
IMAGES = Path(__file__).parents[4] / "images"
BLAS = ("openblas", "mkl", "netlib")
LIBRARIES = {"openblas": "OpenBLAS", "mkl": "MKL", "netlib": "netlib"}


@pytest.fixture(scope="module")
def channel(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Channel:
    mkl = SUBDIRS.get(engine.info.architecture) == "linux-64"
    return build_channel(tmp_path_factory.mktemp("channels") / "real", mkl=mkl)


@pytest.fixture(scope="module")
def address(channel: Channel) -> Iterator[str]:
    with served(channel.folder.parent) as url:
        yield f"{url}/{channel.name}"


def make(folder: Path, engine: Engine, address: str, **changes: Any) -> Project:
    """Return a project of the shipped spec, whose channel the configuration serves elsewhere."""
    folder.mkdir(parents=True)
    config = {"sources": {"conda": {"conda-forge": [address]}}}
    (folder / ".freezer.yaml").write_text(yaml.safe_dump(config))
    project = Project(folder, kept_store().root, changes.pop("name", f"{NAME}-conda"))
    shipped = yaml.safe_load((IMAGES / "blas-openblas" / "freeze.yaml").read_text())
    platform = PLATFORMS[engine.info.architecture]
    project.spec(**(shipped | {"name": project.name, "platform": platform, "why": {}} | changes))
    return project


@pytest.fixture(scope="module")
def environments(
    engine: Engine, channel: Channel, address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Project]]:
    """Return an environment for each BLAS: the same packages, locked, built and checked."""
    found = {}
    for blas in BLAS:
        if blas == "mkl" and channel.subdir != "linux-64":
            continue  # there is none for other processors
        folder = tmp_path_factory.mktemp("conda") / blas
        project = make(folder, engine, address, name=f"{NAME}-{blas}", blas=blas)
        project.freeze("lock").good()
        project.freeze("build").good()
        project.freeze("check").good()
        found[blas] = project
    yield found
    for project in found.values():
        for image in engine.images(label=f"org.freezer.lock-id={project.lock_id}"):
            forget(engine, image)


def told(project: Project, training: str, kind: str) -> list[tuple[str, int, str]]:
    """Return name, step and SHA-256 of what the reference tells of one training."""
    (reference,) = project.references
    trainings = json.loads(reference.read_bytes())["trainings"]
    (mine,) = (one["observations"] for one in trainings if one["name"] == training)
    return [
        (item["name"], item.get("step", 0), item["sha256"]) for item in mine if item["kind"] == kind
    ]


def weights(project: Project, training: str) -> str:
    """Return a digest of the trained weights, at every step that the reference tells."""
    trained = [item for item in told(project, training, "tensor") if item[1] > 0]
    assert trained
    return digest(json_bytes(trained))


@pytest.mark.parametrize("training", ["numpy", "sklearn"])
def test_each_blas_has_numbers_of_its_own_on_the_same_data(
    environments: dict[str, Project], training: str
) -> None:
    data = {blas: told(project, training, "data") for blas, project in environments.items()}
    assert data["openblas"]
    assert all(item == data["openblas"] for item in data.values())
    found = {blas: weights(project, training) for blas, project in environments.items()}
    assert len(set(found.values())) == len(environments), found


def test_each_blas_gives_the_same_numbers_on_every_run(environments: dict[str, Project]) -> None:
    """The first check ran everything twice already, and recorded what both runs gave."""
    for project in environments.values():
        document = project.freeze("check", "--json").good().document
        assert document["verdict"] == "identical"


def test_the_inventory_names_the_blas_that_did_it(environments: dict[str, Project]) -> None:
    for blas, project in environments.items():
        kept = json.loads((project.lock_file.parent / "inventory.json").read_bytes())
        blases = [item for item in kept["libraries"] if "blas" in item["roles"]]
        assert {item["name"] for item in blases} == {LIBRARIES[blas]}
        users = {user for item in blases for user in item.get("loaded-by", [])}
        assert {"conda:numpy", "conda:scipy"} <= users
        assert project.lock.blas == blas
        assert LIBRARIES[blas] in {c.name for c in project.lock.components if c.role == "blas"}


def test_two_openmp_runtimes_are_warned_of_with_what_they_can_do(
    environments: dict[str, Project],
) -> None:
    """scikit-learn was built for GNU's, MKL brings Intel's: in one process."""
    said = {blas: item.freeze("inventory", "--json").good() for blas, item in environments.items()}
    doubles = {blas: done.document["doubles"] for blas, done in said.items()}
    for blas, sentences in doubles.items():
        two = [text for text in sentences if text.startswith("2 OpenMP runtimes: ")]
        assert len(two) == (blas == "mkl"), sentences
        assert all("libiomp5" in text and "libgomp" in text for text in two)
        assert all("sums that are split differently" in text for text in two)


def test_a_diff_tells_what_became_of_the_arithmetic(environments: dict[str, Project]) -> None:
    before, now = environments["openblas"], environments["netlib"]
    folders = (str(item.lock_file.parent) for item in (before, now))
    done = before.freeze("diff", *folders).good()
    assert "inventory: BLAS OpenBLAS" in done.out
    assert "became netlib" in done.out


def test_a_user_who_enters_the_image_finds_their_way(
    environments: dict[str, Project], engine: Engine, tmp_path: Path
) -> None:
    """``pip list`` says what is there, and what ``conda list`` reads is what was locked."""
    project = environments["netlib"]
    said = "which python && pip list --format=json && echo $CONDA_PREFIX"
    tar = "tar -C $CONDA_PREFIX -c conda-meta"
    done = engine.run(f"{project.name}:latest", ["sh", "-c", f"{said} && {tar}"], RunOptions())
    assert done.exit_code == 0, done.stderr.decode()
    where, listed, prefix, archive = done.stdout.split(b"\n", 3)
    assert (where, prefix) == (b"/opt/env/bin/python", b"/opt/env")
    versions = {item["name"]: item["version"] for item in json.loads(listed)}
    locked = {package.name: package.version for package in project.lock.conda}
    for name in ("numpy", "scipy", "scikit-learn", "threadpoolctl"):
        assert versions[name] == locked[name]
    assert "pip" in versions

    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        opened.extractall(tmp_path, filter="data")
    records = map(PrefixRecord.from_path, sorted((tmp_path / "conda-meta").glob("*.json")))
    assert {(r.file_name, r.channel.rpartition("/conda-forge/")[2]) for r in records} == {
        (package.file, package.subdir) for package in project.lock.conda
    }


def test_made_anew_from_the_same_packages_it_is_the_same_image(
    environments: dict[str, Project], engine: Engine, tmp_path: Path
) -> None:
    """Linking and byte compilation leave nothing of the run that did them."""
    project = environments["netlib"]
    before = engine.image(f"{project.name}:latest")
    fresh = project.with_store(tmp_path / "store", without=LINKED)
    document = fresh.freeze("build", "--json").good().document
    assert document["built"] is True
    assert before is not None
    assert document["image"] == before.id


def test_the_exported_lock_is_read_back_by_conda_lock(environments: dict[str, Project]) -> None:
    folder = environments["openblas"].lock_file.parent
    with quiet():
        content = conda_lock_module("lockfile").parse_conda_lock_file(folder / "conda-lock.yml")
    lock = environments["openblas"].lock
    assert {item.hash.sha256 for item in content.package} == {item.sha256 for item in lock.conda}
    explicit = (folder / "conda-linux-64.lock").read_text()
    assert explicit.count("#") >= len(lock.conda)


def test_locked_again_in_another_place_it_is_the_same_lock(
    environments: dict[str, Project], engine: Engine, channel: Channel, tmp_path: Path
) -> None:
    """Where a channel is served from changes no lock."""
    first = environments["netlib"]
    again = make(tmp_path / "p", engine, channel.url, name=first.name, blas="netlib")
    again.freeze("lock").good()
    assert again.lock_id == first.lock_id


@pytest.mark.parametrize("blas", BLAS)
def test_rattler_installs_the_same_prefix_from_the_exported_lock(
    environments: dict[str, Project], blas: str, tmp_path: Path
) -> None:
    if blas not in environments:
        return  # MKL, on another processor than x86-64
    project = environments[blas]
    lock, store = project.lock, Store.open(project.store)
    with quiet():
        read = conda_lock_module("lockfile").parse_conda_lock_file(
            project.lock_file.parent / "conda-lock.yml"
        )
    exported = {item.hash.sha256 for item in read.package}
    assert exported == {item.sha256 for item in lock.conda}
    shipped = [(item, tmp_path / item.file) for item in lock.conda]
    for item, path in shipped:
        path.symlink_to(store.verified(item.sha256))
    layout = Layout("/opt/env", lock.target.python.minor)
    chunks = conda_chunks(
        lock.conda, layout=layout, epoch=epoch(lock.as_of), store=store, report=SILENT
    )
    mine = {
        path.removeprefix("/opt/env/"): (fact.kind, fact.content)
        for chunk in chunks
        for path, fact in chunk.expected(store).items()
        if "/conda-meta/" not in path
    }
    theirs = {
        path: ("link", content) if isinstance(content, str) else ("file", digest(content))
        for path, (_, content) in rattler_prefix(shipped, tmp_path, "/opt/env").items()
        if not path.endswith(".pyc")
    }
    assert len(mine) > 3000
    assert mine == theirs


def test_pip_is_told_of_what_conda_has(engine: Engine, address: str, tmp_path: Path) -> None:
    """A wheel that needs NumPy and SciPy brings neither: conda's are there."""
    project = make(tmp_path / "p", engine, address, pip=["patsy==1.0.1", "statsmodels==0.14.4"])
    project.freeze("lock").good()
    names = {package.name for package in project.lock.pip}
    assert {"patsy", "statsmodels", "pandas"} <= names
    assert names.isdisjoint({"numpy", "scipy"})
    statsmodels = next(item for item in project.lock.pip if item.name == "statsmodels")
    assert "numpy" not in statsmodels.requires


def test_a_clash_of_both_worlds_names_both(engine: Engine, address: str, tmp_path: Path) -> None:
    project = make(tmp_path / "p", engine, address, pip=["numpy>=2"])
    done = project.freeze("lock")
    done.failed(2, "conda package", "numpy 1.24.2", "conda's numpy", "numpy>=2")
    assert not project.lock_file.exists()


def test_a_package_that_left_its_channel_is_named_before_the_build(
    engine: Engine, channel: Channel, tmp_path: Path
) -> None:
    copy = tmp_path / "channel"
    shutil.copytree(channel.folder, copy, symlinks=True)
    project = make(
        tmp_path / "p",
        engine,
        copy.as_uri(),
        conda={"channels": ["conda-forge"], "dependencies": ["joblib"]},
        smoke={"command": ["true"]},
    )
    project.freeze("lock").good()
    (gone,) = channel.named("joblib")
    (copy / gone.subdir / gone.file).unlink()
    index = copy / gone.subdir / "repodata.json"
    document = json.loads(index.read_text())
    record = document["packages.conda"].pop(gone.file)
    newer = gone.file.replace(gone.version, "1.3.0")
    document["packages.conda"][newer] = {**record, "version": "1.3.0"}
    index.unlink()
    index.write_text(json.dumps(document))
    store = Project(project.folder, Store.open(tmp_path / "store").root, project.name)
    store.freeze("fetch").failed(1, "joblib 1.2.0", "1.3.0")


def test_a_token_is_in_nothing_that_is_kept(
    engine: Engine, channel: Channel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spec names the variable; lock, exports, layers and messages have the channel's name."""
    private = tmp_path / "served" / "t" / "ab-s3cret-ef"
    private.mkdir(parents=True)
    (private / "team").symlink_to(channel.folder)
    monkeypatch.setenv("CHANNEL_TOKEN", "ab-s3cret-ef")
    with served(tmp_path / "served") as url:
        conda = {"channels": [url + "/t/${CHANNEL_TOKEN}/team"], "dependencies": ["joblib"]}
        project = make(
            tmp_path / "p", engine, channel.url, conda=conda, smoke={"command": ["true"]}
        )
        mine = project.with_store(tmp_path / "store")
        said = [mine.freeze("-v", command).good() for command in ("lock", "fetch")]
    assert {package.channel for package in mine.lock.conda} == {"team"}
    kept = [*project.folder.rglob("*"), *(mine.store / "memos").rglob("*")]
    # Memos of data sets are packed; none of them knows a channel.
    texts = [path.read_bytes().decode("latin-1") for path in kept if path.is_file()]
    assert len(texts) > 10
    for text in (*texts, *(item.out + item.err for item in said)):
        assert "s3cret" not in text


def test_several_platforms_are_in_one_lock(
    engine: Engine, channel: Channel, tmp_path: Path
) -> None:
    """A channel's noarch packages alone, with libraries that only the second platform lacks."""
    copy = tmp_path / "channel"
    shutil.copytree(channel.folder, copy, symlinks=True)
    other = "linux-aarch64" if channel.subdir == "linux-64" else "linux-64"
    shutil.copytree(copy / channel.subdir, copy / other, symlinks=True)
    index = copy / other / "repodata.json"
    document = json.loads(index.read_text())
    for record in document["packages.conda"].values():
        record["subdir"] = other
    index.write_text(json.dumps(document))
    platform = next(name for name, subdir in SUBDIRS_BY_PLATFORM.items() if subdir == other)
    conda = {
        "channels": ["conda-forge"],
        "dependencies": ["joblib", "numpy"],
        "platforms": [platform],
    }
    project = make(tmp_path / "p", engine, copy.as_uri(), conda=conda, blas="netlib")
    project.spec(smoke={"training": "numpy"})
    project.freeze("lock").good()
    lock = project.lock
    assert {item.name for item in lock.conda_elsewhere[platform]} == {p.name for p in lock.conda}
    assert {item.subdir for item in lock.conda_elsewhere[platform]} == {other, "noarch"}
    folder = project.lock_file.parent
    assert f"/{other}/numpy" in (folder / f"conda-{other}.lock").read_text()
    with quiet():
        read = conda_lock_module("lockfile").parse_conda_lock_file(folder / "conda-lock.yml")
    assert {item.platform for item in read.package} == {other, channel.subdir}
    again = project.freeze("lock").good()
    assert "nothing changed" in again.out
