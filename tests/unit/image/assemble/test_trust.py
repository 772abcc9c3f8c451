"""What is hashed again: all that no vouched layer holds, and whatever lies over one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freezer.engine.interface import EngineInfo, ImageInfo, LayerFile
from freezer.fetch.store.store import Store
from freezer.image.assemble.parts import Parts
from freezer.image.assemble.verified_layers import (
    EVERYTHING,
    VerificationScope,
    mark_verified,
    verification_scope,
)
from freezer.image.layers.order import Layer, write_layer
from freezer.image.tar.canonical import Entry
from freezer.image.wheel.chunks import Chunk, data_chunk, expected_files
from tests.support.host.fake_engine import INFO

if TYPE_CHECKING:
    from pathlib import Path

DOCKER = replace(INFO, id="AAAA:BBBB")
BASE, SYSTEM = LayerFile("sha256:" + "a" * 64, None), LayerFile("sha256:" + "b" * 64, None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def chunk(store: Store, **files: str) -> Chunk:
    named = {f"opt/env/{name}": data.encode() for name, data in files.items()}
    members = {path: (Entry(path, "file", 0o644, len(data)), data) for path, data in named.items()}
    return data_chunk("numpy", members, 1, store)


def parts(store: Store, *chunks: Chunk) -> Parts:
    expected, origin = expected_files([[], *([item] for item in chunks)], store)
    layers = [write_layer("numpy", [item], store) for item in chunks]
    return Parts((BASE,), (Layer(SYSTEM, "Debian", 1), *layers), expected, origin)


def image(made: Parts, *folders: str) -> ImageInfo:
    diff_ids = [*(item.diff_id for item in made.base), *(item.file.diff_id for item in made.layers)]
    found = ImageInfo("sha256:1", tuple(diff_ids), (), (), 0, "amd64", "linux", {}, {}, "", "")
    return replace(found, folders=folders)


def test_nothing_is_trusted_at_first_and_a_small_change_is_hashed_alone(store: Store) -> None:
    old = parts(store, chunk(store, heavy="1"), chunk(store, light="1"))
    assert verification_scope(DOCKER, image(old, "0", "1", "2", "3"), old, store) == EVERYTHING
    mark_verified(DOCKER, image(old, "0", "1", "2", "3"), old, store)
    new = parts(store, chunk(store, heavy="1"), chunk(store, light="2"))
    found = verification_scope(DOCKER, image(new, "0", "1", "2", "4"), new, store)
    assert found == VerificationScope(frozenset({"/opt/env/light"}), dpkg=False)


def test_a_layer_that_was_unpacked_again_is_hashed_again(store: Store) -> None:
    made = parts(store, chunk(store, heavy="1"))
    mark_verified(DOCKER, image(made, "0", "1", "2"), made, store)
    again = verification_scope(DOCKER, image(made, "0", "1", "9"), made, store)
    assert again == VerificationScope(frozenset({"/opt/env/heavy"}), dpkg=False)
    assert verification_scope(DOCKER, image(made, "0", "9", "2"), made, store) == VerificationScope(
        frozenset(), dpkg=True
    )


@pytest.mark.parametrize("other", [replace(DOCKER, id="CCCC"), replace(DOCKER, id="")])
def test_another_engine_is_trusted_in_nothing(store: Store, other: EngineInfo) -> None:
    made = parts(store, chunk(store, heavy="1"))
    mark_verified(DOCKER, image(made, "0", "1", "2"), made, store)
    assert verification_scope(other, image(made, "0", "1", "2"), made, store) == EVERYTHING


def test_an_engine_that_does_not_say_where_layers_lie_is_trusted_in_nothing(store: Store) -> None:
    made = parts(store, chunk(store, heavy="1"))
    mark_verified(DOCKER, image(made), made, store)
    assert verification_scope(DOCKER, image(made), made, store) == EVERYTHING


def test_a_layer_with_a_hidden_file_is_not_vouched_for(store: Store) -> None:
    old = parts(store, chunk(store, both="1", one="1"), chunk(store, both="2"))
    mark_verified(DOCKER, image(old, "0", "1", "2", "3"), old, store)
    new = parts(store, chunk(store, both="1", one="1"), chunk(store, other="2"))
    found = verification_scope(DOCKER, image(new, "0", "1", "2", "4"), new, store)
    assert found.hashed == {"/opt/env/both", "/opt/env/one", "/opt/env/other"}


def test_a_layer_that_is_held_against_another_list_is_hashed_again(store: Store) -> None:
    made = parts(store, chunk(store, heavy="1"))
    mark_verified(DOCKER, image(made, "0", "1", "2"), made, store)
    other = replace(made.layers[1], indexes=("0" * 64,))
    changed = replace(made, layers=(made.layers[0], other))
    assert verification_scope(DOCKER, image(made, "0", "1", "2"), changed, store).hashed == {
        "/opt/env/heavy"
    }


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        (
            "opt/env/heavy",
            VerificationScope(frozenset({"/opt/env/heavy", "/opt/env/light"}), dpkg=False),
        ),
        ("usr/bin/perl", VerificationScope(frozenset({"/opt/env/light"}), dpkg=True)),
        ("opt/env/.wh.heavy", EVERYTHING),
    ],
)
def test_what_lies_over_a_vouched_layer_is_hashed(
    store: Store, over: str, expected: VerificationScope
) -> None:
    """The tar is looked into: it may hold more than the list that it comes with."""
    old = parts(store, chunk(store, heavy="1"))
    mark_verified(DOCKER, image(old, "0", "1", "2"), old, store)
    new = parts(store, chunk(store, heavy="1"), chunk(store, light="2"))
    more = data_chunk("evil", {over: (Entry(over, "file", 0o644, 1), b"9")}, 1, store)
    spoiled = replace(write_layer("x", [more], store), indexes=new.layers[2].indexes)
    made = replace(new, layers=(*new.layers[:2], spoiled))
    assert verification_scope(DOCKER, image(made, "0", "1", "2", "4"), made, store) == expected
