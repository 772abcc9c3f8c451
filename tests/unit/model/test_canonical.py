"""The canonical form: total, stable, and read back by any YAML parser."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from freezer.model.canonical import digest, json_bytes, yaml_text

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.recursive(
    st.one_of(text, st.integers(-(2**60), 2**60), st.booleans()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(keys, values, max_size=5))
def test_every_document_is_read_back_by_a_yaml_parser(document: dict[str, object]) -> None:
    assert (yaml.safe_load(yaml_text(document)) or {}) == document


@given(st.dictionaries(keys, values, min_size=2, max_size=5))
def test_key_order_does_not_matter(document: dict[str, object]) -> None:
    backwards = dict(reversed(document.items()))
    assert yaml_text(document) == yaml_text(backwards)
    assert json_bytes(document) == json_bytes(backwards)


@pytest.mark.parametrize(
    "word", ["yes", "No", "null", "~", "1.10", "0x1f", "1e5", "2026-11-01", "", "- a", "a: b", "@"]
)
def test_strings_that_yaml_would_take_for_something_else_stay_strings(word: str) -> None:
    assert yaml.safe_load(yaml_text({"key": word})) == {"key": word}


def test_layout_is_pinned() -> None:
    document = {
        "b": [{"name": "numpy", "version": "2.4.6"}, "plain"],
        "a": {"digest": "sha256:" + "0" * 4, "empty": []},
    }
    assert yaml_text(document) == (
        "a:\n  digest: sha256:0000\n  empty: []\n"
        'b:\n  - name: numpy\n    version: "2.4.6"\n  - plain\n'
    )


def test_floats_have_no_canonical_form() -> None:
    with pytest.raises(TypeError, match="float"):
        yaml_text({"loss": 0.5})


def test_digest_is_sha256() -> None:
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
