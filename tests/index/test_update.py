"""`freeze update` with the real resolvers, on an index made for each test; base and Debian are kept."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from freezer.errors import FreezerError, LockError, SpecError
from freezer.flows.history.generations import history
from freezer.flows.lock.lock import lock
from freezer.flows.why.why import why
from freezer.output.lock.why import show
from tests.support.python.indexes import FakeIndex, serve
from tests.support.python.updates import EARLY, LATE, LATER, Env, pins

pytestmark = pytest.mark.index


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        yield served


@pytest.fixture
def env(tmp_path: Path, index: FakeIndex) -> Env:
    index.add("pip", "25", uploaded="2025-01-01T00:00:00Z")
    old, new = {"uploaded": "2025-12-01T00:00:00Z"}, {"uploaded": "2026-02-01T00:00:00Z"}
    index.add("num", "1.0", **old)
    index.add("num", "2.0", **new)
    index.add("num", "3.0", uploaded="2026-04-01T00:00:00Z")
    index.add("sci", "1.0", ["num<2"], **old)
    index.add("sci", "1.1", ["num>=1"], **new)
    index.add("plot", "1.0", ["num", "text"], **old)
    index.add("plot", "2.0", ["num", "text"], **new)
    index.add("text", "1.0", **old)
    index.add("text", "2.0", **new)
    return Env(tmp_path, index, "uv")


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_what_is_named_moves_and_only_what_it_forces(env: Env, resolver: str) -> None:
    env.resolver = resolver
    assert env.lock("sci", "plot") == {"num": "1.0", "plot": "1.0", "sci": "1.0", "text": "1.0"}
    result = env.update("num", reason="faster")
    assert [str(item) for item in result.moves] == [
        "num 1.0 to 2.0",
        "sci 1.0 to 1.1: sci 1.0 wants num<2",
    ]
    assert pins(result.lock.pip) == {"num": "2.0", "plot": "1.0", "sci": "1.1", "text": "1.0"}
    assert "Also moves: sci 1.0 to 1.1: sci 1.0 wants num<2" in env.ear.notes
    head = history(env.opened, "demo").head
    assert head is not None
    assert (head.action, head.reason) == ("update", "faster")
    assert head.summary.startswith("num 1.0 to 2.0; sci")
    assert result.written is not None
    assert result.written.id == head.lock_id


def test_strict_and_a_dry_run_write_nothing(env: Env) -> None:
    env.lock("sci", "plot")
    before = env.file.read_bytes()
    refused = env.update("num", strict=True)
    assert (refused.refused, refused.written) == (True, None)
    dry = env.update("num", dry_run=True)
    assert (len(dry.moves), dry.written) == (2, None)
    assert env.update("text", strict=True, dry_run=True).refused is False
    assert env.file.read_bytes() == before
    assert len(history(env.opened, "demo").generations) == 2


def test_each_page_is_read_once_beside_the_resolver(env: Env, index: FakeIndex) -> None:
    """uv reads all pages by itself; Freezer reads those of what is named, for limits and causes."""
    env.lock("sci", "plot")
    index.freezers.clear()
    result = env.update("text")
    assert [str(item) for item in result.moves] == ["text 1.0 to 2.0"]
    assert len(index.own("/simple/text")) == 1
    assert not [page for name in ("num", "sci", "plot") for page in index.own(f"/simple/{name}")]


def test_why_nothing_moves(env: Env) -> None:
    env.lock("num<2", "plot")
    before = env.file.read_bytes()
    held = env.update("num")
    assert (held.moves, held.written) == ((), None)
    assert held.limits[0].newest == "2.0"
    assert "requires num<2" in held.limits[0].why
    assert "freeze.yaml" in held.limits[0].why
    newest = env.update("text", as_of=EARLY)
    assert newest.limits[0].newest is None
    assert newest.limits[0].why == f"it is the newest as of {EARLY}; 2.0 came on 2026-02-01"
    assert env.file.read_bytes() == before


def test_a_version_that_the_spec_does_not_allow(env: Env) -> None:
    env.lock("num<2", "plot")
    with pytest.raises(SpecError, match=r"does not allow num 2\.0") as caught:
        env.update("num==2.0")
    assert caught.value.found == "num<2"
    assert "pip" in str(caught.value.where)


def test_a_version_for_this_update_only(env: Env) -> None:
    env.lock("num", "plot")
    assert pins(env.update("num==2.0", as_of=LATER).lock.pip)["num"] == "2.0"
    assert env.update("num", as_of=LATER).lock.pip[0].version == "3.0"


def test_a_name_that_is_not_locked(env: Env) -> None:
    env.lock("plot")
    with pytest.raises(LockError, match="plott is not in the lock") as caught:
        env.update("plott")
    assert caught.value.hint == "did you mean plot?"
    with pytest.raises(LockError, match="libc6 comes with the base"):
        env.update("libc6")


def test_one_package_newer_than_the_rest(env: Env) -> None:
    env.lock("num", "plot", **{"as-of": EARLY})
    result = env.update(newer="num", reason="a leak", as_of=None)
    assert pins(result.lock.pip) == {"num": "3.0", "plot": "1.0", "text": "1.0"}
    assert result.lock.as_of == EARLY
    assert result.lock.exceptions["num"].reason == "a leak"
    env.spec("num", "plot", "sci>=1.0", **{"as-of": EARLY})
    with pytest.raises(FreezerError):  # sci 1.0 wants num<2, which is kept only where it can be
        env.update("num==3.0", as_of=None)
    env.spec("num", "plot>=1", **{"as-of": EARLY})
    again = lock(env.opened, None)
    assert pins(again.locked.lock.pip)["num"] == "3.0"
    assert again.locked.lock.exceptions == result.lock.exceptions
    env.spec("num", "plot>=1", **{"as-of": "2027-01-01T00:00:00Z"})
    assert lock(env.opened, None).locked.lock.exceptions == {}


def test_what_would_happen_if_it_were_released(env: Env) -> None:
    env.lock("sci", "plot")
    env.update("text")  # nothing else moves, and the cut-off is a later one now
    before = env.file.read_bytes()
    (answer,) = why(env.opened, None, "num", ask=True).answers
    assert answer.released is not None
    assert [str(one) for one in answer.released.moves] == [
        "num 1.0 to 2.0",
        "sci 1.0 to 1.1: sci 1.0 wants num<2",
    ]
    assert answer.released.alone == "1.0"
    stream = io.StringIO()
    show(why(env.opened, None, "num", ask=True), Console(file=stream, width=200))
    assert "released  num 1.0 to 2.0" in stream.getvalue()
    assert "with it sci 1.0 to 1.1: sci 1.0 wants num<2" in stream.getvalue()
    assert "without other changes it is 1.0" in stream.getvalue()
    (text,) = why(env.opened, None, "text", ask=True).answers
    assert text.released is not None
    assert (text.released.moves, text.released.limit) == ((), f"it is the newest as of {LATE}")
    env.spec("no-such-package")
    (answer,) = why(env.opened, None, "num", ask=True).answers
    assert answer.released is not None
    assert "no-such-package" in (answer.released.why_not or "")
    assert env.file.read_bytes() == before


def test_beside_a_package_from_its_own_address(env: Env, index: FakeIndex) -> None:
    tool = index.add("tool", "1.0", ["text"])
    address = f"tool @ {index.url}/files/{tool.name}"
    assert env.lock("num", address)["tool"] == "1.0"
    assert pins(env.update("num").lock.pip) == {"num": "2.0", "text": "1.0", "tool": "1.0"}
    assert pins(env.update("text").lock.pip) == {"num": "2.0", "text": "2.0", "tool": "1.0"}


def test_no_prerelease_is_taken_to_get_further(env: Env, index: FakeIndex) -> None:
    """As a resolver would where every stable version of a range is refused."""
    index.add("held", "1.0", ["num<2"], uploaded="2025-12-01T00:00:00Z")
    index.add("held", "2.0rc1", ["num"], uploaded="2026-02-01T00:00:00Z")
    env.lock("num", "held")
    before = env.file.read_bytes()
    result = env.update("num")
    assert (result.moves, result.written) == ((), None)
    assert env.file.read_bytes() == before
