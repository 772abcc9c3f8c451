"""Metadata that an index serves next to a wheel are compared with the wheel's own (PEP 658)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import IntegrityError
from freezer.flows.image.fetch import fetch_lock
from freezer.resolve.python.true_metadata import Metadata
from tests.support.python.indexes import FakeIndex, File, serve
from tests.support.python.updates import Env

HEAD = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


def metadata(name: str, *requires: str, version: str = "1.0") -> bytes:
    lines = "".join(f"Requires-Dist: {text}\n" for text in requires)
    return (HEAD.format(name=name, version=version) + lines).encode()


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        served.add("pip", "25", uploaded="2025-01-01T00:00:00Z")
        yield served


@pytest.fixture
def env(tmp_path: Path, index: FakeIndex) -> Env:
    return Env(tmp_path, index, "uv")


def add(index: FakeIndex, name: str, *requires: str) -> File:
    return index.add(name, "1.0", requires, uploaded="2025-01-01T00:00:00Z")


def fetch(env: Env) -> None:
    from freezer.flows.project.environment import load_locked

    fetch_lock(env.opened, load_locked(env.root, None).lock)


@pytest.mark.process
def test_metadata_that_are_the_wheels_own_pass(env: Env, index: FakeIndex) -> None:
    add(index, "needed")
    add(index, "app", "needed>=1; python_version>'3'", "Other_Name[x]; extra == 'more'")
    env.lock("app")
    fetch(env)
    assert len(index.asked("app-1.0-py3-none-any.whl.metadata")) == 2, "the resolver, and here"


@pytest.mark.process
@pytest.mark.parametrize(
    ("own", "served", "said"),
    [
        (["needed"], [], "lacks 'needed', which the wheel requires"),
        ([], ["evil"], "adds 'evil', which the wheel does not require"),
        (["needed>=2"], ["needed"], "lacks 'needed>=2', which the wheel requires"),
        (["needed"], ["needed; extra == 'x'"], "lacks 'needed', which the wheel requires"),
    ],
)
def test_the_address_that_serves_other_requirements_is_named(
    env: Env, index: FakeIndex, own: list[str], served: list[str], said: str
) -> None:
    for name in ("needed", "evil"):
        add(index, name)
    add(index, "app", *own).metadata_lie = metadata("app", *served)
    env.lock("app")
    for _ in range(2):  # the wheel is in the store then, and is refused all the same
        with pytest.raises(
            IntegrityError, match="metadata that differs from the wheel's own"
        ) as caught:
            fetch(env)
        assert str(caught.value.where) == "app-1.0-py3-none-any.whl"
        (first, *_) = caught.value.details
        assert first == f"{index.url}/files/app-1.0-py3-none-any.whl.metadata {said}"
        assert "127.0.0.1" in (caught.value.hint or "")
    index.files["app"][0].metadata_lie = None
    with pytest.raises(IntegrityError, match="does not agree with the metadata in its wheels"):
        fetch(env)  # the index tells the truth now, and the lock is as wrong as it was


@pytest.mark.process
@pytest.mark.parametrize(
    ("own", "served", "said"),
    [
        (["needed"], [], "app 1.0 needs needed, which is missing"),
        ([], ["evil"], "app 1.0 does not need evil, which the lock lists"),
        (["needed>=2"], ["needed"], "app 1.0 wants needed>=2, and 1.0 is locked"),
    ],
)
@pytest.mark.parametrize("serves", [True, False])
def test_a_wheel_that_is_in_the_store_already_is_compared_too(
    env: Env, index: FakeIndex, own: list[str], served: list[str], said: str, serves: bool
) -> None:
    for name in ("needed", "evil"):
        add(index, name)
    file = add(index, "app", *own)
    env.opened.store.put_bytes(file.data)
    file.metadata_lie = metadata("app", *served)
    env.lock("app")
    file.metadata_gone = not serves
    for _ in range(2):
        with pytest.raises(IntegrityError) as caught:
            fetch(env)
        whole = str(caught.value)
        assert (f"{index.url}/files/app-1.0" in whole) is serves
        assert serves or said in whole


@pytest.mark.process
def test_what_a_lock_may_leave_out_is_no_contradiction(env: Env, index: FakeIndex) -> None:
    add(index, "tool", "app")  # in a circle
    add(index, "other")
    add(index, "gone")
    index.add("app", "1.0", ["tool[x]", "app[own]", "other; sys_platform == 'win32'"],
              extras={"own": ["gone"]}, uploaded="2025-01-01T00:00:00Z")  # fmt: skip
    env.lock("app")
    fetch(env)
    fetch(env)


@pytest.mark.process
def test_what_cannot_be_compared_is_passed_over(env: Env, index: FakeIndex) -> None:
    add(index, "app")
    env.lock("app")
    index.files["app"][0].metadata_gone = True
    fetch(env)


@pytest.mark.process
def test_a_password_is_in_no_message(env: Env, index: FakeIndex) -> None:
    index.password = "hush"
    add(index, "app").metadata_lie = metadata("app", "pip")
    (env.root / "requirements.txt").write_text(f"--index-url {index.with_credentials()}\napp\n")
    env.lock(pip={"files": ["requirements.txt"], "resolver": "uv"})
    with pytest.raises(IntegrityError) as caught:
        fetch(env)
    assert "adds 'pip'" in str(caught.value)
    assert "hush" not in str(caught.value)


NAMES = st.sampled_from(["a", "B_c", "d.e"])
REQUIREMENTS = st.builds(
    "{}{}{}".format,
    NAMES,
    st.sampled_from(["", "[x]", ">=1", "==1.*,<2"]),
    st.sampled_from(["", "; python_version < '3.9'", "; extra == 'y'"]),
)


@given(st.lists(REQUIREMENTS, max_size=4), st.randoms(use_true_random=False))
def test_order_and_spelling_make_no_difference(requires: list[str], random: object) -> None:
    shuffled = [text.replace("B_c", "b-C").replace("; ", " ;  ") for text in requires]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = Metadata.parse(metadata("App", *requires))
    assert list(Metadata.parse(metadata("app", *shuffled)).differences(one)) == []


@given(st.sets(REQUIREMENTS, max_size=4), st.sets(REQUIREMENTS, max_size=4))
def test_every_difference_is_found(one: set[str], other: set[str]) -> None:
    first, second = (Metadata.parse(metadata("a", *texts)) for texts in (one, other))
    assert len(list(first.differences(second))) == len(first.requires ^ second.requires)


def test_another_name_or_version_is_a_difference() -> None:
    own = Metadata.parse(metadata("a"))
    for served in (metadata("b"), metadata("a", version="2")):
        assert len(list(Metadata.parse(served).differences(own))) == 1


@pytest.mark.process
@pytest.mark.parametrize(("declared", "said"), [("<3.10", True), (">=3.9,<4", False), ("", False)])
def test_a_wheel_for_another_python_is_named_once(
    env: Env, index: FakeIndex, declared: str, said: bool
) -> None:
    """uv follows lower bounds alone; pip would not install the wheel by itself."""
    index.add("app", "1.0", uploaded="2025-01-01T00:00:00Z", requires_python=declared or None)
    env.lock("app")
    fetch(env)
    fetch(env)
    found = [text for text in env.ear.warnings if "declared for Python" in text]
    assert len(found) == said
