"""Reading the canonical form back: the same value, and never anything but a value or no value."""

from __future__ import annotations

import contextlib
import tracemalloc

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from freezer.model.canonical import yaml_text
from freezer.model.canonical_read import read_yaml_text

text = st.text(st.characters(), max_size=20)
keys = st.text(st.characters(), min_size=1, max_size=8)
values = st.recursive(
    st.one_of(text, st.integers(-(2**60), 2**60), st.booleans()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(keys, values, min_size=1, max_size=5)


@given(documents)
def test_every_document_is_read_back(document: dict[str, object]) -> None:
    assert read_yaml_text("# a head\n" + yaml_text(document)) == document


@given(documents, st.data())
def test_a_text_that_was_edited_gives_a_value_or_value_error(
    document: dict[str, object], data: st.DataObject
) -> None:
    written = yaml_text(document)
    start = data.draw(st.integers(0, len(written)))
    end = data.draw(st.integers(start, len(written)))
    put = data.draw(
        st.sampled_from(["", " ", "- ", ":", ": ", '"', "\n", "\\", "x", "-", "[", "é"])
    )
    edited = written[:start] + put + written[end:]
    with contextlib.suppress(ValueError):
        found = read_yaml_text(edited)
        if edited and yaml_text(found) == edited:
            assert yaml.safe_load(edited) == found, "what is canonical is one value to all"


@pytest.mark.parametrize(
    "text",
    ["", "\n", "- a\n", "a\n", "  a: b\n", "a:\n", "a: b\n  c: d\n", 'a: "\n', "a: -\n", '"a: b\n'],
)
def test_what_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"canonical|key|Unterminated|int"):
        read_yaml_text(text)


def test_a_text_that_goes_too_deep_is_refused() -> None:
    with pytest.raises(ValueError, match="no canonical text"):
        read_yaml_text("a:\n  " + "- " * 100_000 + "b\n")


def test_a_long_line_of_many_lists_is_not_kept_once_for_each_of_them() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="no canonical text"):
            read_yaml_text("a:\n  " + "- " * 500_000 + "b\n")
        assert tracemalloc.get_traced_memory()[1] < 100 << 20, "of a line of one megabyte"
    finally:
        tracemalloc.stop()
