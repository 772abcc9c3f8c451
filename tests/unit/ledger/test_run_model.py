"""A run as a document: every value comes back with its type, every double with its bits."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.model.record.run import Digest, Output, Run, Time, Value, read_run, run_bytes

VALUES: st.SearchStrategy[Value] = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(),
    st.text(),
    st.booleans(),
    st.integers(0, 2**60).map(Time),
    st.text("0123456789abcdef", min_size=4, max_size=64).map(Digest),
)


def bits(value: Value) -> object:
    """Two NaNs are equal here when their bits are."""
    kind = type(value).__name__
    return (kind, struct.pack(">d", value)) if isinstance(value, float) else (kind, value)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=8))
def test_fields_come_back_as_they_were(fields: dict[str, Value]) -> None:
    run = Run("a" * 16, "demo", "finished", Time(1), fields=fields, owner=fields)
    back = read_run(run_bytes(run))
    assert {k: bits(v) for k, v in back.fields.items()} == {k: bits(v) for k, v in fields.items()}
    assert run_bytes(back) == run_bytes(run)


def test_the_rest_comes_back_too() -> None:
    run = Run(
        id="0" * 16,
        environment="demo",
        state="failed",
        started=Time(5),
        ended=Time(2_000_005),
        exit_code=3,
        command=("python", "-c", "\udcff"),
        tags={"a": "b"},
        notes=("seen",),
        outputs=(Output("m.pt", 3, "0" * 64, "1" * 64, "torch"), Output("x", 1, "2" * 64)),
        links={"resumes": "1" * 16},
        tail="last\n",
    )
    assert read_run(run_bytes(run)) == run
    assert run.seconds == 2.0
    assert run.all_fields()["exit"] == 3
    assert run.all_fields()["tags.a"] == "b"


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"{}", b'{"format": 2}', b"[" * 100_000, b'{"format": 1, "id": 1}'],
)
def test_anything_else_is_no_run(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a run|Expecting|recursion|^2$|value"):
        read_run(data)
