"""Which line an error of uv's names: the one that asks for what is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from freezer.errors import IntegrityError, ResolveError
from freezer.fetch.store.store import Store
from tests.support.project.asking import asked, request
from tests.support.python.indexes import FakeIndex
from tests.support.python.uv_resolving import cache, index, resolve, store

pytestmark = pytest.mark.process

__all__ = ["cache", "index", "store"]


@pytest.fixture
def chain(index: FakeIndex) -> FakeIndex:
    """Packages that need others in versions that are not there, or that are too new."""
    index.add("alpha", "1")
    index.add("alpha", "2", uploaded="2999-01-01T00:00:00Z")
    index.add("c1", "1", ["alpha==1"])
    index.add("c3", "1", ["alpha==3"])
    index.add("late", "1", ["alpha>1"])
    index.add("mid", "1", ["c3"])
    index.add("deep", "1", ["mid"])
    index.add("circle", "1", ["other"])
    index.add("other", "1", ["circle<1"])
    return index


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        (("c1", "c3"), 2, "no index has alpha 3 (needed by c3)"),
        (("c3", "c1"), 1, "no index has alpha 3 (needed by c3)"),
        (("alpha==1", "deep"), 2, "no index has alpha 3 (needed by c3)"),
        (("alpha==1", "alpha==3"), 2, "no index has alpha 3\n"),
        (("c1", "circle"), 2, "no index has circle <1 (needed by other)"),
        (("late",), 1, "no version that satisfies alpha >1 (needed by late) was uploaded by"),
        (("alpha==1", "late"), 2, "no version that satisfies alpha >1 (needed by late) was upl"),
        (("c1", "alpha>=2"), 2, "no version that satisfies alpha >=2 was uploaded by"),
    ],
)
def test_the_line_is_that_of_what_needs_it(
    chain: FakeIndex, store: Store, lines: tuple[str, ...], line: int, said: str
) -> None:
    with pytest.raises(ResolveError) as caught:
        resolve(request(chain.simple, *lines), store)
    text = str(caught.value)
    assert said in text
    assert "has no wheel" not in text
    assert caught.value.where is not None
    assert caught.value.where.line == line


@pytest.mark.parametrize("kind", ["constraints", "overrides"])
def test_a_constraint_or_an_override_is_named_itself(
    chain: FakeIndex, store: Store, kind: str
) -> None:
    item = asked("alpha==7", 5)
    with pytest.raises(ResolveError, match="no index has alpha 7") as caught:
        resolve(request(chain.simple, "c1" if kind == "overrides" else "alpha", **{kind: (item,)}),
                store)  # fmt: skip
    assert caught.value.where == item.where


@pytest.mark.parametrize(
    "address", ["https://h.example/alpha-1-py3-none-any.whl", "git+https://u:hush@h.example/a.git"]
)
def test_a_dependency_at_an_address_is_named_with_the_package_that_has_it(
    index: FakeIndex, store: Store, address: str
) -> None:
    index.add("top", "1", ["mine"])
    index.add("mine", "1", [f"alpha @ {address}"])
    with pytest.raises(ResolveError, match="mine 1 requires alpha from an address") as caught:
        resolve(request(index.simple, "mine"), store)
    assert caught.value.where is not None
    assert caught.value.hint
    assert "hush" not in str(caught.value)


def test_a_hash_of_no_file_names_its_line(index: FakeIndex, store: Store) -> None:
    index.add("alpha", "1")
    item = asked("alpha==1", 3, hashes=("a" * 64,))
    with pytest.raises(IntegrityError, match="no file of alpha 1 has a hash") as caught:
        resolve(replace(request(index.simple), requirements=(item,)), store)
    assert caught.value.where == item.where
