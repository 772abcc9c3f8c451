"""Resolving with the real uv, against an index made for each test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from freezer.errors import IntegrityError, ResolveError
from freezer.fetch.store.store import Store
from tests.support.project.asking import TARGET, asked, request
from tests.support.python.indexes import FakeIndex, sha256
from tests.support.python.uv_resolving import add_setuptools, cache, index, pins, resolve, store

pytestmark = pytest.mark.process

__all__ = ["cache", "index", "store"]


def test_a_closure_with_files_edges_and_reasons(index: FakeIndex, store: Store) -> None:
    top = index.add("Top", "2.0", ["left>=1", "right"])
    index.add("left", "1.5", ["base"])
    index.add("right", "3", ["base"])
    index.add("base", "0.1")
    found = {p.name: p for p in resolve(request(index.simple, "top", "base"), store).packages}
    assert list(found) == ["base", "left", "right", "top"]
    assert found["top"].file == "Top-2.0-py3-none-any.whl"
    assert found["top"].sha256 == sha256(top.data)
    assert found["top"].size == len(top.data)
    assert found["top"].requires == ("left", "right")
    assert found["top"].reason == "asked for in requirements.in:1"
    assert found["left"].reason == "needed by top"
    assert not found["left"].requested
    assert found["base"].requested
    assert found["base"].reason == "asked for in requirements.in:2"
    assert {p.source for p in found.values()} == {"pypi"}
    assert {p.url for p in found.values()} == {None}


def test_the_wheel_for_the_target_is_chosen_not_for_this_host(
    index: FakeIndex, store: Store
) -> None:
    for tags in (
        "cp39-cp39-manylinux_2_17_aarch64",
        "cp39-cp39-manylinux_2_17_x86_64",
        "cp311-cp311-manylinux_2_17_aarch64",
        "cp311-cp311-manylinux_2_39_aarch64",
    ):
        index.add("fast", tags=tags)
    python = TARGET.python.model_copy(update={"version": "3.9.2", "abi": "cp39"})
    target = TARGET.model_copy(
        update={"architecture": "aarch64", "glibc": "2.31", "python": python}
    )
    found = resolve(request(index.simple, "fast", target=target), store)
    assert found.packages[0].file == "fast-1.0-cp39-cp39-manylinux_2_17_aarch64.whl"


def test_markers_hold_for_the_target(index: FakeIndex, store: Store) -> None:
    for name in ("old", "new", "arm"):
        index.add(name)
    asking = request(
        index.simple,
        "old; python_version < '3.11'",
        "new; python_full_version == '3.11.2'",
        "arm; platform_machine == 'aarch64'",
    )
    assert pins(resolve(asking, store)) == {"new": "1.0"}


def test_extras_bring_what_they_need(index: FakeIndex, store: Store) -> None:
    index.add("tool", extras={"plots": ["drawing"]})
    index.add("drawing")
    found = resolve(request(index.simple, "tool[plots]"), store)
    assert pins(found) == {"drawing": "1.0", "tool": "1.0"}
    assert found.packages[0].reason == "needed by tool"


def test_an_extra_that_does_not_exist_is_said(index: FakeIndex, store: Store) -> None:
    index.add("tool")
    found = resolve(request(index.simple, "tool[nonesuch]"), store)
    assert any("nonesuch" in warning for warning in found.warnings)


def test_constraints_bind_but_ask_for_nothing(index: FakeIndex, store: Store) -> None:
    index.add("a", "1", ["b"])
    index.add("b", "1")
    index.add("b", "2")
    index.add("c")
    asking = request(index.simple, "a", constraints=(asked("b<2"), asked("c==1.0")))
    assert pins(resolve(asking, store)) == {"a": "1", "b": "1"}


def test_nothing_after_the_cut_off_is_taken(index: FakeIndex, store: Store) -> None:
    index.add("a", "1", uploaded="2026-01-01T00:00:00.000000Z")
    index.add("a", "2", uploaded="2026-05-31T23:59:59.000000Z")
    index.add("a", "3", uploaded="2026-06-01T00:00:00.000000Z")
    assert pins(resolve(request(index.simple, "a"), store)) == {"a": "2"}


def test_nothing_before_the_cut_off_is_said_with_the_first_date(
    index: FakeIndex, store: Store
) -> None:
    index.add("a", "3", uploaded="2026-07-01T00:00:00.000000Z")
    with pytest.raises(ResolveError, match="was uploaded by 2026-06-01") as caught:
        resolve(request(index.simple, "a"), store)
    assert caught.value.found == "3 of 2026-07-01T00:00:00Z"
    assert "as-of" in str(caught.value.hint)


def test_pins_that_still_answer_are_kept(index: FakeIndex, store: Store) -> None:
    for version in ("1", "2", "3"):
        index.add("a", version, ["b"])
        index.add("b", version)
    asking = request(index.simple, "a>=2", keep={"a": "1", "b": "1", "gone": "9"})
    assert pins(resolve(asking, store)) == {"a": "3", "b": "1"}


def test_prereleases_only_on_request(index: FakeIndex, store: Store) -> None:
    index.add("a", "1")
    index.add("a", "2rc1")
    assert pins(resolve(request(index.simple, "a"), store)) == {"a": "1"}
    assert pins(resolve(request(index.simple, "a", prereleases=True), store)) == {"a": "2rc1"}


def test_a_hash_of_the_users_chooses_the_file(index: FakeIndex, store: Store) -> None:
    generic = index.add("a")
    index.add("a", tags="cp311-cp311-manylinux_2_17_x86_64", members={"a.so": b"fast"})
    asking = request(index.simple)
    wanted = replace(asking, requirements=(asked("a", 1, (sha256(generic.data),)),))
    assert resolve(wanted, store).packages[0].file == generic.name


def test_a_hash_that_no_file_has_is_refused(index: FakeIndex, store: Store) -> None:
    index.add("a")
    asking = replace(request(index.simple), requirements=(asked("a", 4, ("0" * 64,)),))
    with pytest.raises(IntegrityError, match=r"no file of a 1.0 has a hash"):
        resolve(asking, store)


# Source distributions


def test_a_package_without_wheels_is_refused_with_both_ways_out(
    index: FakeIndex, store: Store
) -> None:
    index.add("old", "0.9")
    index.add_sdist("old", "1.0")
    with pytest.raises(ResolveError, match=r"old 1.0 is published only as a source") as caught:
        resolve(request(index.simple, "old==1.0"), store)
    assert str(caught.value.where) == "requirements.in:1"
    assert "allow-sdist: [old]" in str(caught.value.hint)
    assert "0.9" in str(caught.value.hint)


def test_who_needs_the_unfit_package_is_said(index: FakeIndex, store: Store) -> None:
    index.add("top", "1", ["old"])
    index.add_sdist("old")
    with pytest.raises(ResolveError, match=r"old 1.0 \(needed by top\)") as caught:
        resolve(request(index.simple, "top"), store)
    assert str(caught.value.where) == "requirements.in:1"


def test_an_allowed_source_distribution_is_locked_with_what_its_build_needs(
    index: FakeIndex, store: Store
) -> None:
    index.add("top", "1", ["old"])
    old = index.add_sdist("old", "1.0", '[build-system]\nrequires = ["setuptools>=70", "cython"]')
    add_setuptools(index)
    index.add("cython", "3.0", ["runtime"])
    index.add("runtime")
    asking = request(index.simple, "top", allow_sdist=frozenset({"old"}))
    found = {package.name: package for package in resolve(asking, store).packages}
    assert found["old"].file == "old-1.0.tar.gz"
    assert found["old"].sha256 == sha256(old.data)
    needs = found["old"].build_requires
    assert [item.name for item in needs] == ["cython", "runtime", "setuptools"]
    assert needs[0].reason == ("asked for in old-1.0.tar.gz/pyproject.toml (build-system.requires)")
    assert found["top"].build_requires == ()


def test_an_allowed_package_that_has_a_wheel_is_locked_as_a_wheel(
    index: FakeIndex, store: Store
) -> None:
    index.add_sdist("both")
    index.add("both")
    asking = request(index.simple, "both", allow_sdist=frozenset({"both"}))
    assert resolve(asking, store).packages[0].file.endswith(".whl")


def test_an_allowed_package_is_no_reason_to_fall_back_to_an_old_version(
    index: FakeIndex, store: Store
) -> None:
    """An extra that needs a source distribution was once silently dropped with the version."""
    index.add("frame", "1")
    index.add("frame", "2", extras={"excel": ["sheets"]})
    index.add_sdist("sheets")
    add_setuptools(index)
    asking = request(index.simple, "frame[excel]", allow_sdist=frozenset({"sheets"}))
    assert pins(resolve(asking, store))["frame"] == "2"
