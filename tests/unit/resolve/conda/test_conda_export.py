"""Exports of the conda half, compared with conda-lock's own parser and its content hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from freezer.errors import LockError
from freezer.fetch.conda.channels import CondaChannel
from freezer.model.events import SilentReporter
from freezer.model.lock import Lock
from freezer.model.spec.spec import CondaSpec
from freezer.resolve.conda import export
from freezer.resolve.conda.environment import gather_conda
from freezer.resolve.conda.order import dependencies_first
from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module
from freezer.resolve.conda.takeover.complete import import_runs
from tests.support.conda.condaindex import VIRTUAL, Room, asked, names, record
from tests.support.project.locks import make_lock

SPECS = [asked("python=3.11", 1), asked("numpy", 2), asked("forge::libblas=*=*openblas", 3)]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = Room(tmp_path)
    made.channel(
        "forge",
        record("python", "3.11.4", "h1", depends=["tzdata", "__glibc >=2.17,<3.0.a0"]),
        record("tzdata", "2026a", subdir="noarch", noarch="generic"),
        record("libblas", "3.9.0", "1_openblas"),
        record("libblas", "3.9.0", "2_mkl"),
        record("numpy", "2.2.1", "py311", depends=["python >=3.11,<3.12.0a0", "libblas >=3.9"]),
    )
    return made


def lock_of(room: Room, **more: Any) -> Lock:
    found = room.solve("python=3.11", "numpy", "forge::libblas=*=*openblas")
    return make_lock(conda=found.packages, virtual_packages=VIRTUAL, **more)


def source(room: Room) -> bytes:
    return export.environment_yaml(room.channels, SPECS, ["torch==2.0", "-e ."])


def read_back(data: bytes, folder: Path) -> Any:
    (folder / "conda-lock.yml").write_bytes(data)
    return conda_lock_module("lockfile").parse_conda_lock_file(folder / "conda-lock.yml")


@pytest.mark.process
def test_conda_lock_reads_it_back(room: Room) -> None:
    lock = lock_of(room)
    back = read_back(export.conda_lock_yaml(lock, room.channels, source(room)), room.folder)
    base = room.channels[0].urls[0]
    found = {item.name: item for item in back.package}
    assert sorted(found) == ["libblas", "numpy", "python", "tzdata"]
    for package in lock.conda:
        item = found[package.name]
        assert (item.version, item.build, item.manager) == (package.version, package.build, "conda")
        assert (item.hash.md5, item.hash.sha256) == (package.md5, package.sha256)
        assert item.url == f"{base}/{package.subdir}/{package.file}"
        assert item.categories == {"main"}
    assert found["numpy"].dependencies == {"libblas": ">=3.9", "python": ">=3.11,<3.12.0a0"}
    assert back.metadata.platforms == ["linux-64"]
    assert back.metadata.time_metadata is None


@pytest.mark.process
def test_conda_locks_models_write_the_same_bytes(room: Room) -> None:
    """The file is written without them: importing conda-lock takes longer than to solve."""
    for written in (source(room), export.environment_yaml(room.channels, SPECS[:2])):
        data = export.conda_lock_yaml(lock_of(room), room.channels, written)
        back = read_back(data, room.folder)
        back.alphasort_inplace()
        text = yaml.dump(back.to_v1().dict_for_output(), Dumper=yaml.CDumper, sort_keys=False)
        assert data.decode().partition("version: 1")[2] == text.partition("version: 1")[2]


@pytest.mark.process
def test_the_content_hash_is_conda_locks_own(room: Room) -> None:
    """Computed the way the command does it, from the files that lie beside the lock."""
    lock = lock_of(room)
    data = export.conda_lock_yaml(lock, room.channels, source(room))
    (room.folder / "environment.yml").write_bytes(source(room))
    (room.folder / "virtual.yml").write_bytes(export.virtual_packages_yaml(lock))
    (room.folder / "map.json").write_text(
        '{"torch": {"conda_name": "pytorch", "pypi_name": "torch", "conda_forge": "pytorch"}}'
    )
    spec = conda_lock_module("src_parser").make_lock_spec(
        src_files=[room.folder / "environment.yml"],
        platform_overrides=["linux-64"],
        mapping_url=str(room.folder / "map.json"),
    )
    virtual = conda_lock_module("virtual_package")
    repository = virtual.virtual_package_repo_from_specification(room.folder / "virtual.yml")
    hashes = conda_lock_module("content_hash")
    back = read_back(data, room.folder)
    assert back.metadata.content_hash == hashes.compute_content_hashes(spec, repository)
    allowed = hashes.backwards_compatible_content_hashes(spec, repository, "linux-64")
    assert back.metadata.content_hash["linux-64"] in allowed


@pytest.mark.process
def test_conda_lock_says_nothing(room: Room, capfd: pytest.CaptureFixture[str]) -> None:
    export.conda_lock_yaml(lock_of(room), room.channels, source(room))
    assert capfd.readouterr() == ("", "")


@pytest.mark.process
def test_a_source_that_conda_lock_cannot_read(room: Room) -> None:
    text = export.environment_yaml(room.channels, SPECS, ["--extra-index-url https://x.example"])
    with pytest.raises(LockError, match=r"conda-lock cannot read the environment\.yml"):
        export.conda_lock_yaml(lock_of(room), room.channels, text)


@pytest.mark.process
def test_the_content_hash_moves_with_the_question(room: Room) -> None:
    lock = lock_of(room)

    def hash_of(lock: Lock, text: bytes) -> str:
        back = read_back(export.conda_lock_yaml(lock, room.channels, text), room.folder)
        return str(back.metadata.content_hash["linux-64"])

    first = hash_of(lock, source(room))
    assert hash_of(lock, source(room)) == first
    assert hash_of(lock, export.environment_yaml(room.channels, SPECS[:2])) != first
    gpu = lock.model_copy(update={"virtual_packages": {**VIRTUAL, "__cuda": "12.4"}})
    assert hash_of(gpu, source(room)) != first


@pytest.mark.process
def test_equal_locks_give_equal_bytes(room: Room) -> None:
    once, twice = (
        export.conda_lock_yaml(lock_of(room), room.channels, source(room)) for _ in range(2)
    )
    assert once == twice


@pytest.mark.process
def test_several_platforms_in_one(room: Room) -> None:
    lock = lock_of(room)
    both = lock.model_copy(update={"conda_elsewhere": {"linux/arm64": lock.conda[-1:]}})
    back = read_back(export.conda_lock_yaml(both, room.channels, source(room)), room.folder)
    assert back.metadata.platforms == ["linux-64", "linux-aarch64"]
    assert set(back.metadata.content_hash) == {"linux-64", "linux-aarch64"}
    assert sorted(item.platform for item in back.package).count("linux-aarch64") == 1
    assert "__archspec: 1 aarch64" in export.virtual_packages_yaml(both).decode().replace('"', "")
    text = export.explicit_text(both, "linux/arm64", room.channels)
    assert text.splitlines()[0] == "# platform: linux-aarch64"
    assert len(text.splitlines()) == 4


@pytest.mark.process
def test_a_platform_that_is_not_locked(room: Room) -> None:
    with pytest.raises(LockError, match="no conda packages for linux/arm64"):
        export.explicit_text(lock_of(room), "linux/arm64", room.channels)


@pytest.mark.process
def test_an_explicit_file_is_taken_over_as_the_same_packages(room: Room) -> None:
    lock = lock_of(room)
    (room.folder / "env.lock").write_text(export.explicit_text(lock, "linux/amd64", room.channels))
    found = gather_conda(room.folder, CondaSpec(file="env.lock"), "3.11")
    ask = {"subdir": "linux-64", "store": room.store, "report": SilentReporter()}
    back = import_runs(found.locked, **ask)
    left_out = {"reason", "requested"}
    assert [item.model_dump(exclude=left_out) for item in back.packages] == [
        item.model_dump(exclude=left_out) for item in lock.conda
    ]


@pytest.mark.process
def test_an_exported_conda_lock_is_taken_over_as_the_same_packages(room: Room) -> None:
    lock = lock_of(room)
    data = export.conda_lock_yaml(lock, room.channels, source(room))
    (room.folder / "conda-lock.yml").write_bytes(data)
    found = gather_conda(room.folder, CondaSpec(file="conda-lock.yml"), "3.11")
    ask = {"subdir": "linux-64", "store": room.store, "report": SilentReporter()}
    back = import_runs(found.locked, **ask)
    assert [item.sha256 for item in back.packages] == [item.sha256 for item in lock.conda]


@pytest.mark.process
def test_what_others_need_comes_first(room: Room) -> None:
    ordered = names(dependencies_first(lock_of(room).conda))
    assert ordered.index("tzdata") < ordered.index("python") < ordered.index("numpy")
    assert ordered.index("libblas") < ordered.index("numpy")


@pytest.mark.process
def test_packages_that_need_each_other_are_all_there(room: Room) -> None:
    room.channel("forge", record("a", depends=["b"]), record("b", depends=["a"]))
    assert names(dependencies_first(room.solve("a").packages)) == ["b", "a"]


@pytest.mark.process
def test_no_secret_reaches_an_export(room: Room) -> None:
    lock = lock_of(room)
    secret = CondaChannel(
        "forge",
        ("https://me:pw-1@conda.example/t/tk-1/forge",),
        "https://conda.example/forge",
    )
    exported = export.conda_lock_yaml(lock, [secret], export.environment_yaml([secret], SPECS))
    text = exported.decode() + export.explicit_text(lock, "linux/amd64", [secret])
    text += export.environment_yaml([secret], SPECS).decode()
    assert "tk-1" not in text
    assert "pw-1" not in text
    assert "https://conda.example/forge/linux-64/" in text


@pytest.mark.process
def test_a_mirror_changes_no_export(room: Room) -> None:
    lock = lock_of(room)
    plain = CondaChannel("forge", (room.channels[0].address,))
    mirrored = CondaChannel("forge", ("https://mirror.example/forge",))
    for channels in ([plain], [mirrored]):
        assert "mirror.example" not in export.explicit_text(lock, "linux/amd64", channels)
        assert b"- 'forge'\n" in export.environment_yaml(channels, SPECS)


@pytest.mark.process
def test_a_package_without_md5_cannot_be_exported(room: Room) -> None:
    lock = lock_of(room)
    bare = tuple(item.model_copy(update={"md5": None}) for item in lock.conda)
    lock = lock.model_copy(update={"conda": bare})
    with pytest.raises(LockError, match="has no MD5"):
        export.conda_lock_yaml(lock, room.channels, source(room))
    assert f"#sha256:{bare[0].sha256}" in export.explicit_text(lock, "linux/amd64", room.channels)


def test_the_source_is_what_was_asked(room: Room) -> None:
    (room.folder / "environment.yml").write_bytes(source(room))
    found = gather_conda(room.folder, CondaSpec(file="environment.yml"), "3.11")
    assert [(item.text, item.channel) for item in found.specs[1:]] == [
        (item.text, item.channel) for item in SPECS
    ]
    assert [text for text, _ in found.pip] == ["torch==2.0", "-e ."]
