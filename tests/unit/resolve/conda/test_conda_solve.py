"""Solving against small channels: what is chosen, what is kept of it, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import FetchError, ResolveError
from freezer.fetch.conda.channels import CondaChannel
from tests.support.conda.condaindex import DAY, JANUARY, VIRTUAL, Room, kept, pins, record


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.mark.process
def test_the_whole_record_is_locked(room: Room) -> None:
    room.channel(
        "forge",
        record(
            "python",
            "3.12.1",
            "h1_cpython",
            build_number=4,
            depends=["libffi >=3.4"],
            constrains=["python_abi 3.12.* *_cp312"],
            license="Python-2.0",
            python_site_packages_path="lib/python3.12/site-packages",
        ),
        record("libffi", "3.4.6", subdir="noarch", noarch="generic"),
    )
    libffi, python = room.solve("python=3.12").packages
    assert python.model_dump(exclude={"url", "commit", "describe", "subdirectory"}) == {
        "source": "conda",
        "file": "python-3.12.1-h1_cpython.conda",
        "size": 1000,
        "sha256": record("python", "3.12.1", "h1_cpython")["sha256"],
        "name": "python",
        "version": "3.12.1",
        "build": "h1_cpython",
        "build_number": 4,
        "channel": "forge",
        "subdir": "linux-64",
        "noarch": None,
        "depends": ("libffi >=3.4",),
        "constrains": ("python_abi 3.12.* *_cp312",),
        "md5": record("python", "3.12.1", "h1_cpython")["md5"],
        "license": "Python-2.0",
        "timestamp": JANUARY,
        "python_site_packages_path": "lib/python3.12/site-packages",
        "requested": True,
        "reason": "asked for in environment.yml:1",
    }
    assert (libffi.subdir, libffi.noarch, libffi.requested) == ("noarch", "generic", False)
    assert libffi.reason == "needed by python"


@pytest.mark.process
def test_reasons_name_every_place_and_every_dependent(room: Room) -> None:
    room.channel(
        "forge",
        record("numpy", "2.0", depends=["libblas * *openblas", "python"]),
        record("scipy", "1.0", depends=["numpy >=1", "libblas[build=*openblas]"]),
        record("libblas", "3.9", "1_openblas"),
        record("python", "3.12"),
    )
    found = {item.name: item.reason for item in room.solve("scipy", "numpy", "numpy <3").packages}
    assert found == {
        "libblas": "needed by numpy, scipy",
        "numpy": "asked for in environment.yml:2, environment.yml:3",
        "python": "needed by numpy",
        "scipy": "asked for in environment.yml:1",
    }


@pytest.mark.process
def test_a_build_is_chosen_by_its_string(room: Room) -> None:
    room.channel(
        "forge", *(record("libblas", "3.9", build) for build in ("1_mkl", "2_openblas", "3_blis"))
    )
    assert pins(room.solve("libblas=*=*openblas")) == {"libblas": "3.9 2_openblas"}


@pytest.mark.process
def test_only_declared_virtual_packages_are_there(room: Room) -> None:
    """A GPU, a glibc or a CPU of the machine that locks must not be seen."""
    room.channel(
        "forge",
        record("torch", "2.0", "cpu"),
        record("torch", "2.0", "cuda", build_number=1, depends=["__cuda >=12"]),
        record("new", "1.0", depends=["__glibc >=2.99"]),
        record("avx", "1.0", depends=["__archspec 1 x86_64_v4"]),
    )
    assert pins(room.solve("torch")) == {"torch": "2.0 cpu"}
    with_gpu = {**VIRTUAL, "__cuda": "12.4"}
    assert pins(room.solve("torch", virtual_packages=with_gpu)) == {"torch": "2.0 cuda"}
    assert "newer glibc" in str(room.fails("new"))
    assert "another CPU" in str(room.fails("avx"))
    assert pins(room.solve("new", virtual_packages={"__glibc": "2.99"})) == {"new": "1.0 0"}
    assert pins(room.solve("avx", virtual_packages={"__archspec": "x86_64_v4"})) == {"avx": "1.0 0"}


@pytest.mark.process
def test_constraints_hold_without_asking(room: Room) -> None:
    room.channel(
        "forge",
        record("cuda-version", "12.4"),
        record("cuda-version", "13.0"),
        record("cudnn", "9.1", depends=["cuda-version"]),
        record("plain", "1.0"),
    )
    limited = ("cuda-version <13",)
    assert pins(room.solve("cudnn", constraints=limited))["cuda-version"] == "12.4 0"
    assert pins(room.solve("plain", constraints=limited)) == {"plain": "1.0 0"}


@pytest.mark.process
def test_a_constraint_chooses_a_build(room: Room) -> None:
    room.channel(
        "forge",
        record("numpy", "2.0", depends=["libblas"]),
        *(record("libblas", "3.9", build) for build in ("1_mkl", "2_openblas", "3_blis")),
    )
    for text in ("libblas=*=*openblas", "libblas * *openblas", 'libblas[build="*openblas"]'):
        found = pins(room.solve("numpy", constraints=(text,)))
        assert found["libblas"] == "3.9 2_openblas"


@pytest.mark.process
def test_what_still_answers_is_kept(room: Room) -> None:
    room.channel("forge", record("a", "1.0", depends=["b"]), record("b", "1.0"))
    before = room.solve("a")
    room.channel(
        "forge",
        *(record("a", version, depends=["b"]) for version in ("1.0", "2.0")),
        *(record("b", version) for version in ("1.0", "1.1", "2.0")),
    )
    assert pins(room.solve("a")) == {"a": "2.0 0", "b": "2.0 0"}
    assert room.solve("a", keep=kept(before)).packages == before.packages
    moved = room.solve("a >=2", keep=kept(before))
    assert pins(moved) == {"a": "2.0 0", "b": "1.0 0"}


@pytest.mark.process
def test_what_no_longer_answers_is_not_kept(room: Room) -> None:
    newer = JANUARY + 10 * DAY
    room.channel("forge", record("a", "1.0"), record("a", "2.0", timestamp=newer))
    before = room.solve("a")
    assert pins(room.solve("a", keep=kept(before), as_of="2026-01-05T00:00:00Z")) == {"a": "1.0 0"}
    room.channel("forge")
    room.channel("other", record("a", "1.5"))
    elsewhere = room.solve("a", channels=(room.channels[1],), keep=kept(before))
    assert pins(elsewhere) == {"a": "1.5 0"}


@pytest.mark.process
def test_a_kept_package_gets_the_reasons_of_now(room: Room) -> None:
    room.channel("forge", record("a", "1.0", depends=["b"]), record("b", "1.0"))
    before = room.solve("a")
    after = {item.name: item for item in room.solve("a", "b", keep=kept(before)).packages}
    assert after["b"].requested
    assert after["b"].reason == "asked for in environment.yml:2"


@pytest.mark.process
def test_archives_in_both_forms_are_taken_as_conda(room: Room) -> None:
    both = record("a", "1.0")
    room.channel("forge", both)
    index = room.folder / "channels" / "forge" / "linux-64" / "repodata.json"
    text = index.read_text().replace(
        '"packages": {}', '"packages": {"a-1.0-0.tar.bz2": ' + str(both).replace("'", '"') + "}"
    )
    index.write_text(text)
    [package] = room.solve("a").packages
    assert package.file == "a-1.0-0.conda"


@pytest.mark.process
@pytest.mark.parametrize("missing", ["sha256", "size"])
def test_a_record_that_pins_no_bytes_is_refused_by_name(room: Room, missing: str) -> None:
    room.channel("forge", record("a", "1.0", depends=["b"]), record("b", "1.0", **{missing: None}))
    error = room.fails("a")
    assert isinstance(error, ResolveError)
    assert error.details == (f"forge/linux-64/b-1.0-0.conda has no {missing}",)


@pytest.mark.process
def test_an_index_that_lies_of_its_subdir_is_held_to_where_it_lies(room: Room) -> None:
    room.channel("forge", record("a", "1.0"))
    index = room.folder / "channels" / "forge" / "linux-64" / "repodata.json"
    index.write_text(index.read_text().replace('"subdir": "linux-64"', '"subdir": "../x"'))
    [package] = room.solve("a").packages
    assert package.subdir == "linux-64"


@pytest.mark.process
def test_archives_apart_from_their_index_are_locked_alike(room: Room) -> None:
    room.channel("forge", record("a", "1.0"), info={"base_url": "https://archives.example/x/"})
    [package] = room.solve("a").packages
    assert (package.channel, package.subdir, package.file) == ("forge", "linux-64", "a-1.0-0.conda")


@pytest.mark.process
def test_an_empty_environment_is_no_question(room: Room) -> None:
    room.channel("forge", record("a", "1.0"))
    assert room.solve().packages == ()


def test_a_channel_without_the_platform_is_named(room: Room, tmp_path: Path) -> None:
    empty = CondaChannel("typo", ((tmp_path / "nowhere").as_uri(),))
    error = room.fails("a", channels=(empty,))
    assert isinstance(error, FetchError)
    assert "no conda channel typo with packages for linux-64" in str(error)
    assert "sources: {conda: {typo" in str(error)


@pytest.mark.process
def test_an_index_that_breaks_off_is_fetched_again(room: Room) -> None:
    room.channel("forge", record("a", "1.0"))
    index = room.folder / "channels" / "forge" / "linux-64" / "repodata.json"
    whole = index.read_text()
    index.write_text(whole[: whole.index('"repodata_version"')].rstrip(", ") + '"x":}')
    error = room.fails("a")
    assert isinstance(error, FetchError)
    assert "the index of the conda channel forge cannot be read" in str(error)
    index.write_text(whole)
    assert pins(room.solve("a")) == {"a": "1.0 0"}
