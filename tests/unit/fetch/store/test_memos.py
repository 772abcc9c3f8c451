"""A memo of another form than its reader expects counts as none, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.fetch.conda import repodata
from freezer.fetch.registry.compressed_layers import CompressedLayer, known_compressed
from freezer.fetch.store.store import Store
from freezer.image.layers import order
from freezer.image.wheel import sdist
from freezer.image.wheel.chunks import Chunk
from freezer.resolve.components.bundled import Found
from freezer.resolve.debian import resolve

SHA256 = "1" * 64


@dataclass(frozen=True)
class Form:
    """A form of memo, and one of that form."""

    form: Any
    good: Any


FORMS = {
    "components of a wheel": Form(list[Found], [asdict(Found("blas", "OpenBLAS", "0.3.21"))]),
    "answer of apt": Form(
        resolve._Known, {"installed": [["a", "1", "all", None]], "removed": ["b"]}
    ),
    "conda exports": Form(dict[str, str], {"environment.yml": SHA256}),
    "built wheel": Form(sdist._Built, {"file": "a.whl", "sha256": SHA256, "size": 1}),
    "chunk": Form(Chunk, asdict(Chunk("a 1", "k", SHA256, 1, SHA256))),
    "moment": Form(int, 1),
    "layer": Form(order._Known, {"sha256": SHA256, "size": 1}),
    "conda index": Form(repodata._Known, {"sha256": SHA256, "mark": {"file": [1, 2, 3]}}),
    "compressed layer": Form(CompressedLayer, asdict(CompressedLayer(f"sha256:{SHA256}", 1))),
}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def write(store: Store, data: bytes) -> None:
    store.put_memo("kind", "key", None)
    store._memo("kind", "key").write_bytes(data)


@pytest.mark.parametrize("name", FORMS)
def test_a_memo_of_the_form_is_read(tmp_path: Path, name: str) -> None:
    store, one = Store.open(tmp_path), FORMS[name]
    store.put_memo("kind", "key", one.good)
    assert store.get_memo("kind", "key", one.form) is not None


def changed(good: Any, change: Callable[[Any], Any]) -> Any:
    return json.loads(json.dumps(change(json.loads(json.dumps(good)))))


def without_a_key(value: Any) -> Any:
    inner = value[0] if isinstance(value, list) else value
    inner.pop(next(iter(inner)))
    return value


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"null", b"[]x", b"\xff", b"[" * 50_000, b'{"a": 1}', b'"x"', b"[1]", b"1.5", b"true"],
)  # fmt: skip
def test_anything_else_is_none(tmp_path: Path, name: str, data: bytes) -> None:
    store = Store.open(tmp_path)
    write(store, data)
    assert store.get_memo("kind", "key", FORMS[name].form) is None


@pytest.mark.parametrize("name", [one for one in FORMS if one not in ("moment", "conda exports")])
def test_one_that_lacks_a_key_is_none(tmp_path: Path, name: str) -> None:
    store, one = Store.open(tmp_path), FORMS[name]
    store.put_memo("kind", "key", changed(one.good, without_a_key))
    assert store.get_memo("kind", "key", one.form) is None


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=VALUES, name=st.sampled_from(sorted(FORMS)))
def test_no_memo_ends_in_a_traceback(tmp_path: Path, value: Any, name: str) -> None:
    store = Store.open(tmp_path)
    store.put_memo("kind", "key", value)
    store.get_memo("kind", "key", FORMS[name].form)
    store.get_memo("kind", "key")


def test_a_folder_in_its_place_is_none(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store._memo("kind", "key").mkdir(parents=True)
    assert store.get_memo("kind", "key") is None


def test_readers_take_it_as_none(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    for value in ({"digest": 1, "size": "x"}, {"size": 1}, [], "x", {"digest": "x", "size": 1.5}):
        store.put_memo("packed-layer", f"{_format()}-sha256:{SHA256}", value)
        assert known_compressed(store, f"sha256:{SHA256}") is None


def _format() -> str:
    from freezer.fetch.registry import compressed_layers

    return compressed_layers._FORMAT
