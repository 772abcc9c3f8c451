"""Pickles by content: nothing is loaded, equal objects are equal, and no file is an error."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.check.artifacts import pickles
from freezer.check.artifacts.content import content_digest
from freezer.check.artifacts.nodes import Node, tree_digest


def digest(folder: Path, data: bytes, name: str = "x.pkl") -> tuple[str, str] | None:
    (folder / name).write_bytes(data)
    return content_digest(folder / name)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner, max_size=4)
        | st.sets(st.text(), max_size=4)
        | st.frozensets(st.integers(), max_size=4)
        | st.builds(bytearray, st.binary())
        | st.builds(OrderedDict, st.dictionaries(st.text(), inner, max_size=3))
    ),
    max_leaves=12,
)
FILES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@FILES
@given(values, st.integers(2, 5))
def test_loaded_and_dumped_again_it_is_the_same(tmp_path: Path, value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    found = digest(tmp_path, data)
    assert found is not None
    assert found[0] == "pickle"
    assert digest(tmp_path, pickle.dumps(pickle.loads(data), protocol)) == found
    assert digest(tmp_path, pickletools.optimize(data)) == found, "whatever is remembered in it"


@FILES
@given(values, values)
def test_other_objects_have_another_digest(tmp_path: Path, one: Any, other: Any) -> None:
    found = [digest(tmp_path, pickle.dumps(value, 4)) for value in (one, other)]
    plain = [_plain(value) for value in (one, other)]
    assert (found[0] == found[1]) is (plain[0] == plain[1])


def _plain(value: Any) -> Any:
    """Return a value in a form that tells types and bits apart, and no order of a set."""
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind, [(_plain(key), _plain(one)) for key, one in value.items()]
    if isinstance(value, (list, tuple)):
        return kind, [_plain(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return kind, sorted(map(repr, value))
    return kind, struct.pack(">d", value) if isinstance(value, float) else value


class Attack:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(FOLDER),)


FOLDER = Path("never-made")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_nothing_is_called(tmp_path: Path, monkeypatch, protocol: int) -> None:
    monkeypatch.chdir(tmp_path)
    assert digest(tmp_path, pickle.dumps(Attack(), protocol)) is not None
    assert not FOLDER.exists()
    pickle.loads(pickle.dumps(Attack(), protocol))
    assert FOLDER.exists(), "loading it would have made the folder"


class Plain:
    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


def test_objects_by_class_and_state_without_addresses(tmp_path: Path) -> None:
    one = digest(tmp_path, pickle.dumps(Plain(a=1, _stop_words_id=140_001)))
    assert one == digest(tmp_path, pickle.dumps(Plain(a=1, _stop_words_id=140_002)))
    assert one != digest(tmp_path, pickle.dumps(Plain(a=2, _stop_words_id=140_001)))


def test_what_holds_itself_has_a_digest(tmp_path: Path) -> None:
    def held(value: int) -> bytes:
        loop: list[Any] = [value]
        loop.append({"self": loop})
        return pickle.dumps(loop)

    assert digest(tmp_path, held(1)) == digest(tmp_path, pickle.dumps(pickle.loads(held(1))))
    assert digest(tmp_path, held(1)) != digest(tmp_path, held(2))


def test_several_objects_in_a_file(tmp_path: Path) -> None:
    one, other = pickle.dumps([1]), pickle.dumps([2])
    found = {digest(tmp_path, data) for data in (one, one + other, other + one, one + one)}
    assert len(found) == 4


def test_what_is_shared_a_million_times_is_hashed_once(tmp_path: Path) -> None:
    value: list[Any] = ["x"]
    for _ in range(200):
        value = [value, value]
    assert digest(tmp_path, pickle.dumps(value)) is not None
    deep = Node("list")
    for _ in range(20_000):
        deep = Node("list", [deep])
    assert len(tree_digest(deep)) == 32


SEEDS = [
    pickle.dumps({"a": [1, 2.5, "x"], "b": (b"y", {"s"}), "c": OrderedDict(d=1)}, protocol)
    for protocol in (2, 4, 5)
] + [pickle.dumps(Attack(), 2)]


@FILES
@given(st.sampled_from(SEEDS), st.data())
def test_any_damage_is_another_digest_or_none_and_never_an_error(
    tmp_path: Path, whole: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(whole)))
    piece = data.draw(st.binary(max_size=9))
    spoiled = whole[:place] + piece + whole[place + data.draw(st.integers(0, 3)) :]
    found = digest(tmp_path, spoiled)
    assert found is None or len(found[1]) == 64


@pytest.mark.parametrize(
    "data",
    [b"\x80\x04", b"\x80\x04.", b"\x80\x04N0.", b"\x80\x04(0.", b"\x80\x04h\x00.", b"\x80\x04e.",
     b"\x80\x05\x97.", b"\x80\x04\x8e" + b"\xff" * 8 + b".", b"\x80\x02\x8b\xff\xff\xff\x7f.",
     b"\x80\x04(o.", b"\x80\x04]]a", b"\x80\x04" + b"N" * 99],
)  # fmt: skip
def test_what_is_no_pickle_has_none(tmp_path: Path, data: bytes) -> None:
    assert digest(tmp_path, data) is None


def test_a_file_of_too_many_instructions_is_compared_by_its_bytes(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pickles, "_MOST", 100)
    assert digest(tmp_path, pickle.dumps([*range(200)])) is None
