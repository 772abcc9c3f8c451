"""Several questions that differ in little, asked of the real uv: quicker, and answered alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import ResolveError
from freezer.fetch.python.settings import Indexes
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.resolve.minimal import UnexplainedError, explained
from freezer.resolve.python.interface import PipRequest, PipSession
from freezer.resolve.python.uv.errors import named_in_proof
from freezer.resolve.python.uv.resolver import UvResolver
from freezer.resolve.python.uv.run import run_child
from tests.support.project.asking import asked, request
from tests.support.python.indexes import FakeIndex, serve


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        served.add("a", "1", ["b"])
        served.add("b", "1")
        yield served


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return Store.open(tmp_path / "store")


@pytest.fixture
def question(index: FakeIndex) -> PipRequest:
    return request(index.simple, "a")


@pytest.fixture
def session(question: PipRequest, store: Store) -> Iterator[PipSession]:
    with UvResolver().session(question, store=store, report=SilentReporter()) as opened:
        yield opened


def also(question: PipRequest, *constraints: str, **more: Any) -> PipRequest:
    return replace(question, constraints=tuple(map(asked, constraints)), **more)


@pytest.mark.process
def test_versions_alone_are_told_without_a_look_at_files(
    session: PipSession, question: PipRequest, index: FakeIndex
) -> None:
    assert session.versions(question) == {"a": "1", "b": "1"}
    assert {package.name for package in session.resolve(question).packages} == {"a", "b"}


@pytest.mark.process
def test_what_is_pinned_whole_is_asked_of_the_cache(
    session: PipSession, question: PipRequest, index: FakeIndex
) -> None:
    session.versions(question)
    index.requests.clear()
    pinned = also(question, "a==1", "b==1")
    assert session.versions(pinned) == {"a": "1", "b": "1"}
    assert [package.version for package in session.resolve(pinned).packages] == ["1", "1"]
    assert index.requests == []


@pytest.mark.process
def test_a_proof_about_what_was_just_read_stands(
    session: PipSession, question: PipRequest, index: FakeIndex
) -> None:
    session.versions(question)
    index.requests.clear()
    with pytest.raises(ResolveError):
        session.versions(also(question, "b!=1"))
    assert index.asked(".metadata") == []


@pytest.mark.process
def test_what_is_open_is_asked_of_the_index(
    session: PipSession, question: PipRequest, index: FakeIndex
) -> None:
    assert session.versions(question)["b"] == "1"
    index.add("b", "2")
    assert session.versions(question)["b"] == "2"


@pytest.mark.process
def test_a_proof_that_rests_on_an_old_page_is_not_believed(
    question: PipRequest, index: FakeIndex, store: Store
) -> None:
    index.add("a", "2", ["b", "c>=2"])
    index.add("c", "1")
    with UvResolver().session(question, store=store, report=SilentReporter()) as before:
        assert before.versions(question)["a"] == "1"
    index.add("c", "2")
    with UvResolver().session(question, store=store, report=SilentReporter()) as now:
        assert now.versions(also(question, "a<2"))["a"] == "1"
        assert now.versions(also(question, "a>1")) == {"a": "2", "b": "1", "c": "2"}


@pytest.mark.process
def test_no_prerelease_where_a_stable_one_is_wanted(
    session: PipSession, question: PipRequest, index: FakeIndex
) -> None:
    index.add("b", "2rc1")
    higher = also(question, "b>=1,!=1")
    assert session.versions(higher)["b"] == "2rc1", "what uv does by itself"
    with pytest.raises(ResolveError):
        session.versions(replace(higher, stable=True))


@pytest.mark.process
def test_files_without_a_date_count_only_as_far_as_they_may(
    session: PipSession, question: PipRequest, index: FakeIndex
) -> None:
    index.add("b", "2", uploaded=None)
    higher = also(question, "b>1")
    assert session.versions(higher)["b"] == "2"
    with pytest.raises(ResolveError):
        session.versions(replace(higher, undated=False))
    # What is to have this very version may: it has no other file.
    assert session.versions(also(question, "b==2", undated=False))["b"] == "2"


@pytest.mark.process
def test_an_index_that_freezer_serves_is_read_once(store: Store) -> None:
    with serve() as index:
        index.add("a", "1", uploaded=None)
        index.add("a", "2", uploaded=None)
        question = request(Indexes(index.simple), "a")
        with UvResolver().session(question, store=store, report=SilentReporter()) as session:
            assert session.versions(also(question, "a<2"))["a"] == "1"
            index.requests.clear()
            assert session.versions(question)["a"] == "2"
            assert len(index.asked("/simple/a")) == 1, "by uv, which gets no date from it"


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The form that each run of uv is to write."""
    forms: list[str] = []

    def counted(command: list[str], *rest: Any) -> Any:
        forms.append(command[command.index("--format") + 1])
        return run_child(command, *rest)

    monkeypatch.setattr("freezer.resolve.python.uv.run.run_child", counted)
    return forms


@pytest.mark.process
@pytest.mark.parametrize("served", [False, True])
def test_files_of_a_solution_are_not_resolved_again(
    question: PipRequest, index: FakeIndex, store: Store, runs: list[str], served: bool
) -> None:
    index.add("b", "2")
    if served:  # an index of its own for one package: Freezer serves both
        question = replace(question, indexes=Indexes(index.simple, pinned=(("b", index.simple),)))
    pinned = also(question, "a==1", "b==2")
    with UvResolver().session(question, store=store, report=SilentReporter()) as session:
        assert session.versions(question) == {"a": "1", "b": "2"}
        runs.clear()
        again = session.resolve(pinned)
        assert runs == ["requirements.txt"]
    alone = UvResolver().resolve(pinned, store=store, report=SilentReporter())
    assert again == alone
    assert [package.requires for package in again.packages] == [("b",), ()]


@pytest.mark.process
@pytest.mark.parametrize(
    "constraints", [["a==1", "b==1"], ["b==2"], ["a==1", "b==2", "b<2"], ["a==1", "b>=2"]]
)
def test_what_a_solution_does_not_answer_is_resolved(
    session: PipSession,
    question: PipRequest,
    index: FakeIndex,
    runs: list[str],
    constraints: list[str],
) -> None:
    index.add("b", "2")
    assert session.versions(question) == {"a": "1", "b": "2"}
    runs.clear()
    with suppress(ResolveError):
        session.resolve(also(question, *constraints))
    assert runs[0] == "pylock.toml"


@pytest.mark.process
def test_files_that_only_a_wider_search_found_are_resolved_again(
    session: PipSession, question: PipRequest, index: FakeIndex, runs: list[str]
) -> None:
    index.add("b", "2", uploaded=None)
    assert session.versions(also(question, "b>1"))["b"] == "2"
    runs.clear()
    assert session.resolve(also(question, "a==1", "b==2")).packages[1].version == "2"
    assert runs[0] == "pylock.toml"


@pytest.mark.process
def test_a_conflict_is_explained_when_somebody_wants_it(
    session: PipSession, question: PipRequest, index: FakeIndex
) -> None:
    session.versions(question)
    index.requests.clear()
    with pytest.raises(UnexplainedError) as caught:
        session.versions(also(question, "b>1"))
    assert index.asked("/simple/b") == []
    with pytest.raises(ResolveError) as told:
        session.resolve(also(question, "b>1"))
    assert str(explained(caught.value)) == str(told.value)
    assert index.asked("/simple/b") != []


NEWEST = (
    "cause: Because only a<=3 is available and you require a>3, … requirements are unsatisfiable."
)
SEVERAL = """cause: Because all of:
    My_Pkg>=1,<=2
 depend on odd.name[x]==3 and one cannot be used, …
hint: other"""
OFFLINE = """cause: Because x was not found in the cache and you require x, …
hint: Packages were unavailable because the network was disabled."""


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("no proof at all", set()),
        (NEWEST, {"a"}),
        (SEVERAL, {"my-pkg", "odd-name", "one"}),
        (OFFLINE, set()),
    ],
)
def test_what_a_proof_is_about(said: str, names: set[str]) -> None:
    assert named_in_proof(said) == names
