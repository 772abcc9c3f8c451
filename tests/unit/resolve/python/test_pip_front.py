"""The front of the pip half: what is always asked, what is warned of, what the question is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import ResolveError, SpecError, Where
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import Indexes
from freezer.fetch.store.store import Store
from freezer.model.canonical import json_bytes
from freezer.model.events import SilentReporter
from freezer.model.spec.spec import PipSpec
from freezer.resolve.python.interface import Provided
from freezer.resolve.python.names import aliases, name_warnings, near_names
from freezer.resolve.python.requirements.gather import PipRequirements, gather
from freezer.resolve.python.resolve import pip_question, require_python, resolve_pip
from freezer.resolve.python.well_known import well_known
from tests.support.project.asking import TARGET, asked, host_target, request
from tests.support.python.indexes import FakeIndex, serve


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        yield served


@pytest.mark.process
def test_pip_is_always_there_with_freezers_reason(index: FakeIndex, tmp_path: Path) -> None:
    index.add("pip", "26.0")
    index.add("a")
    store = Store.open(tmp_path)
    answer = resolve_pip(request(index.simple, "a"), "uv", store=store, report=SilentReporter())
    found = {package.name: package for package in answer.packages}
    assert found["pip"].requested
    assert found["pip"].reason == "Freezer's own: `pip list` and `pip check` in the image"
    assert found["a"].reason == "asked for in requirements.in:1"


@pytest.mark.process
def test_a_pip_of_the_users_is_the_users(index: FakeIndex, tmp_path: Path) -> None:
    index.add("pip", "25.0")
    index.add("pip", "26.0")
    answer = resolve_pip(
        request(index.simple, "pip<26"), "uv", store=Store.open(tmp_path), report=SilentReporter()
    )
    assert [(p.version, p.reason) for p in answer.packages] == [
        ("25.0", "asked for in requirements.in:1")
    ]


@pytest.mark.process
def test_either_resolver_may_be_chosen(index: FakeIndex, tmp_path: Path) -> None:
    index.add("pip", "26.0")
    asking = request(index.simple, target=host_target())
    store = Store.open(tmp_path)
    answers = [
        resolve_pip(asking, name, store=store, report=SilentReporter())
        for name in ("uv", "pip-tools")
    ]
    assert answers[0] == answers[1]


@pytest.mark.process
def test_mistaken_names_are_warned_of(index: FakeIndex, tmp_path: Path) -> None:
    for name in ("pip", "yaml"):
        index.add(name)
    answer = resolve_pip(
        request(index.simple, "yaml"), "uv", store=Store.open(tmp_path), report=SilentReporter()
    )
    assert answer.warnings == ("requirements.in:1: yaml is an old or mistaken name for pyyaml",)


HELD = {
    "numpy": Provided("1.24.2", "numpy", "conda's numpy 1.24.2 py311_0 (asked for in freeze.yaml)"),
    "torch": Provided("2.5.1", "pytorch", "conda's pytorch 2.5.1 cuda126_0 (needed by timm)"),
}


@pytest.mark.process
@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_what_conda_brings_is_neither_fetched_nor_replaced(
    index: FakeIndex, tmp_path: Path, resolver: str
) -> None:
    for name, version in (("pip", "26.0"), ("numpy", "1.24.2"), ("numpy", "2.2.0"), ("cuda", "1")):
        index.add(name, version)
    index.add("torch", "2.5.1", ["cuda", "numpy"])
    index.add("lightning", "1.0", ["torch>=2", "numpy"])
    asking = request(index.simple, "lightning", target=host_target(), provided=HELD)
    answer = resolve_pip(asking, resolver, store=Store.open(tmp_path), report=SilentReporter())
    assert [package.name for package in answer.packages] == ["lightning", "pip"]
    assert answer.packages[0].requires == ()


@pytest.mark.process
@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_a_clash_with_conda_names_both_sides(
    index: FakeIndex, tmp_path: Path, resolver: str
) -> None:
    for name, version in (("pip", "26.0"), ("torch", "2.5.1"), ("torch", "2.13.0")):
        index.add(name, version)
    index.add("lightning", "1.0", ["torch>=2.10"])
    asking = request(index.simple, "lightning", target=host_target(), provided=HELD)
    with pytest.raises(ResolveError, match="a pip requirement conflicts with a conda") as caught:
        resolve_pip(asking, resolver, store=Store.open(tmp_path), report=SilentReporter())
    said = str(caught.value)
    assert "lightning" in said
    assert "torch 2.5.1 comes from conda's pytorch 2.5.1 cuda126_0 (needed by timm)" in said
    assert "request another pytorch from conda" in said


@pytest.mark.process
def test_where_nothing_is_asked_conda_stands_in_the_way_of_nothing(
    index: FakeIndex, tmp_path: Path
) -> None:
    index.add("pip", "26.0")
    store, silent = Store.open(tmp_path), SilentReporter()
    alone = resolve_pip(request(index.simple), "uv", store=store, report=silent)
    assert (
        resolve_pip(request(index.simple, provided=HELD), "uv", store=store, report=silent) == alone
    )
    brought = {**HELD, "pip": Provided("25.0", "pip", "conda's pip 25.0 pyh_0")}
    nothing = resolve_pip(request(None, provided=brought), "uv", store=store, report=silent)
    assert nothing.packages == ()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("nunpy", ("numpy",)),
        ("numpyy", ("numpy",)),
        ("nmpy", ("numpy",)),
        ("nupmy", ("numpy",)),
        ("scikitlearn", ("scikit-learn",)),
        ("reqeusts", ("requests",)),
        ("torhc", ("torch",)),
        ("numpy", ()),
        ("scikit-learn", ()),
        ("abc", ()),
        ("my-own-thing", ()),
        ("nunpyy", ()),
    ],
)
def test_names_one_slip_away(name: str, near: tuple[str, ...]) -> None:
    assert near_names(name) == near


def test_no_famous_name_is_taken_for_another() -> None:
    assert {name: near_names(name) for name in well_known() if near_names(name)} == {}
    assert len(well_known()) > 150
    assert not well_known() & set(aliases())


def test_each_line_is_warned_of_once() -> None:
    twice = [asked("sklearn", 1), asked("sklearn", 1), asked("numyp", 3)]
    nowhere = PythonIndex(Indexes(None))
    assert name_warnings(twice, nowhere, "2026-06-01T00:00:00Z") == [
        "requirements.in:1: sklearn is an old or mistaken name for scikit-learn",
        "requirements.in:3: numyp is one letter away from numpy; is it the intended package?",
    ]


# requires-python


@pytest.mark.parametrize("text", [">=3.9", ">=3.11.2,<4", "~=3.11"])
def test_a_python_that_will_do(text: str) -> None:
    require_python(PipRequirements(requires_python=[(text, Where("pyproject.toml"))]), TARGET)


def test_a_python_that_will_not_do() -> None:
    gathered = PipRequirements(requires_python=[(">=3.12", Where("pyproject.toml"))])
    with pytest.raises(ResolveError, match="does not run on this Python") as caught:
        require_python(gathered, TARGET)
    assert caught.value.found == "Python 3.11.2"


def test_a_python_that_says_nothing() -> None:
    gathered = PipRequirements(requires_python=[("three", Where("pyproject.toml"))])
    with pytest.raises(SpecError, match="not a version specifier"):
        require_python(gathered, TARGET)


# The question


def question(folder: Path, text: str = "numpy\n", **spec: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    (folder / "a.txt").write_text(text)
    whole = PipSpec(files=("a.txt",), **spec)
    return pip_question(gather(folder, whole), whole, TARGET)


def test_the_question_is_plain_json(tmp_path: Path) -> None:
    found = question(tmp_path)
    assert json.loads(json_bytes(found)) == found


def test_the_question_is_the_same_wherever_the_project_lies(tmp_path: Path) -> None:
    text = "numpy\n--find-links wheels\n"
    for name in ("one", "two"):
        (tmp_path / name / "wheels").mkdir(parents=True)
    assert question(tmp_path / "one", text) == question(tmp_path / "two", text)


def test_comments_change_no_question(tmp_path: Path) -> None:
    assert question(tmp_path, "# why\nnumpy # how\n") == question(tmp_path, "numpy\n")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("numpy<2\n", {}),
        ("numpy\nscipy\n", {}),
        ("numpy\n--pre\n", {}),
        ("numpy\n--extra-index-url https://h/simple\n", {}),
        ("numpy\n--index-url https://h/simple\n", {}),
        ("numpy\n--find-links https://h/wheels\n", {}),
        ("numpy\n", {"resolver": "pip-tools"}),
        ("numpy\n", {"allow_sdist": ("x",)}),
    ],
)
def test_whatever_changes_the_answer_changes_the_question(
    tmp_path: Path, text: str, spec: dict[str, Any]
) -> None:
    assert question(tmp_path, text, **spec) != question(tmp_path)


def test_another_target_is_another_question(tmp_path: Path) -> None:
    spec = PipSpec(requirements=("numpy",))
    gathered = gather(tmp_path, spec)
    other = TARGET.model_copy(update={"glibc": "2.41"})
    assert pip_question(gathered, spec, TARGET) != pip_question(gathered, spec, other)


def test_the_question_holds_no_secret(tmp_path: Path) -> None:
    found = question(
        tmp_path,
        "--index-url https://me:hunter2@h/simple\n--extra-index-url https://h/s?token=hunter2\n"
        "a @ https://me:hunter2@h/a-1-py3-none-any.whl\n",
    )
    assert "hunter2" not in repr(found)
    rotated = question(
        tmp_path,
        "--index-url https://me:other@h/simple\n--extra-index-url https://h/s?token=other\n"
        "a @ https://me:other@h/a-1-py3-none-any.whl\n",
    )
    assert rotated == found, "a new password is no new question"
