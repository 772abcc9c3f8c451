"""Whatever a registry serves: an image, or an error that a user can read; never a crash."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import FreezerError
from freezer.fetch.registry import manifest as documents
from freezer.fetch.registry.reference import parse_reference

DIGEST = f"sha256:{'a' * 64}"
LAYERS = (documents.Descriptor(DIGEST, 1),)
KEYS = (
    "schemaVersion", "manifests", "config", "layers", "digest", "size", "platform", "os",
    "architecture", "variant", "rootfs", "diff_ids", "Env", "Labels", "User",
)  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2),
    st.floats(),
    st.sampled_from(["", "linux", "amd64", DIGEST, "A=b", "v8", "\x00", "\ud800"]),
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=20,
)


def walk(data: bytes) -> None:
    """Do with a document all that a visit does."""
    document = documents.read("x", data)
    if documents.is_index(document):
        documents.of_platform("x", document, "linux/amd64")
    else:
        documents.descriptor("x", document.get("config"))
        assert all(layer.size >= 0 for layer in documents.layers("x", document))


@given(DOCUMENTS)
def test_manifests_never_crash(document: Any) -> None:
    with suppress(FreezerError):
        walk(json.dumps(document).encode())


@given(st.dictionaries(st.sampled_from(["manifests", "config", "layers"]), DOCUMENTS, max_size=2))
def test_what_looks_like_a_manifest_never_crashes(document: Any) -> None:
    with suppress(FreezerError):
        walk(json.dumps(document).encode())


@given(
    st.fixed_dictionaries(
        {"rootfs": st.fixed_dictionaries({"diff_ids": st.just([DIGEST])})},
        optional={"config": st.dictionaries(st.sampled_from(KEYS), DOCUMENTS), "os": DOCUMENTS},
    )
)
def test_configs_never_crash(document: Any) -> None:
    data = json.dumps(document).encode()
    with suppress(FreezerError):
        documents.platform_of("x", data)
        found = documents.image("x", DIGEST, LAYERS, DIGEST, data)
        assert found.diff_ids == (DIGEST,)
        assert all(isinstance(v, str) for v in {**found.environment, **found.labels}.values())


@given(st.binary(max_size=200))
def test_bytes_never_crash(data: bytes) -> None:
    with suppress(FreezerError):
        walk(data)


@given(st.text(alphabet="ab./:@-_A[]#? sha256\n", max_size=40))
def test_names_never_crash_and_mean_one_address(text: str) -> None:
    with suppress(FreezerError):
        found = parse_reference(text)
        assert not set("#?@ \n") & set(found.host + found.repository + found.tag)
        assert ".." not in found.repository.split("/")
