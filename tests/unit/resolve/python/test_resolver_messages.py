"""What uv and pip say when there is no solution, and what Freezer makes of it: a catalogue.

Each entry is an index, what is required, and the error. Both resolvers answer the same question, so
the translation is the same, unless one of them is more lenient. An error must not contradict
itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from freezer.errors import ResolveError
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.resolve.python.resolve import resolve_pip
from tests.support.project.asking import asked, host_target, request
from tests.support.python.indexes import FakeIndex, serve, sha256

pytestmark = pytest.mark.process

MINOR = host_target().python.minor
CP = f"cp{MINOR.replace('.', '')}"
WINDOWS, LINUX = f"{CP}-{CP}-win_amd64", f"{CP}-{CP}-manylinux_2_17_x86_64"
MUSL, MAC = f"{CP}-{CP}-musllinux_1_2_x86_64", f"{CP}-{CP}-macosx_11_0_arm64"
OLD = "cp38-cp38-manylinux_2_17_x86_64"
LATER = "2027-01-01T00:00:00Z"
MARKER = " ; sys_platform == 'linux'"


def contents(text: str) -> dict[str, bytes]:
    """Make wheels of one version differ."""
    return {"content.py": text.encode()}


@dataclass(frozen=True)
class Case:
    """One situation; ``what``, ``found`` and ``hint`` are parts of the error's."""

    name: str
    fill: Callable[[FakeIndex], object]
    requires: tuple[str, ...]
    what: str
    found: str = ""
    hint: str = ""
    details: str = ""


def unfit(index: FakeIndex) -> None:
    index.add("psycopg2", "2.9.5", tags=WINDOWS)
    index.add_sdist("psycopg2", "2.9.5")


CASES = (
    Case("another system", unfit, ("psycopg2==2.9.5",),
         "psycopg2 2.9.5 has no wheel for Python", "2.9.5 has wheels for Windows only", "allow-sdist"),
    Case("another C library", lambda i: i.add("a", tags=MUSL), ("a==1.0",),
         "a 1.0 has no wheel", "1.0 has wheels for Alpine Linux (musl) only", "another version"),
    Case("two other systems", lambda i: (i.add("a", tags=MAC), i.add("a", tags=WINDOWS)), ("a==1.0",),
         "a 1.0 has no wheel", "1.0 has wheels for macOS and Windows only", "another version"),
    Case("another Python", lambda i: i.add("a", tags=OLD), ("a==1.0",),
         "a 1.0 has no wheel", "1.0 has wheels for Python 3.8", "set `python: \"3.8\"`"),
    Case("no such version", lambda i: i.add("a"), ("a==2.0",),
         "no index has a 2.0", "1.0", "choose one of these"),
    Case("no such range", lambda i: i.add("a"), ("a>=2,<3",),
         "no index has a <3,>=2", "1.0", "choose one of these"),
    Case("no such extra's version", lambda i: i.add("a", extras={"x": ["c"]}), ("a[x]==2.0",),
         "no index has a 2.0", "1.0", "choose one of these"),
    Case("of a dependency", lambda i: (i.add("a"), i.add("b", requires=["a>=2"])), ("b",),
         "no index has a >=2 (needed by b)", "1.0", "choose one of these"),
    Case("a local version", lambda i: i.add("a"), ("a==1.0+cu121",),
         "no index has a 1.0+cu121", "1.0", "--extra-index-url"),
    Case("no such package", lambda _: None, ("nothere",),
         "no index has a package called nothere", "", "check its spelling"),
    Case("a slip", lambda _: None, ("numpi",),
         "no index has a package called numpi", "", "did you mean numpy?"),
    Case("a dependency that is not there", lambda i: i.add("b", requires=["nothere"]), ("b",),
         "no index has a package called nothere (needed by b)", "", "check its spelling"),
    Case("too new", lambda i: i.add("a", uploaded=LATER), ("a",),
         "no version that satisfies a was uploaded by", "1.0 of 2027", "a later `as-of`"),
    Case("withdrawn", lambda i: i.add("a", yanked="it is broken"), ("a",),
         "was yanked by its maintainer", "1.0 (it is broken)", "write `a==1.0`"),
    Case("withdrawn, with another one", lambda i: (i.add("a", "2.0", yanked=""), i.add("a")), ("a>1",),
         "every version that satisfies a >1 was yanked", "2.0", "use a 1.0; or write `a==2.0`"),
    Case("Python too old", lambda i: i.add("a", requires_python=">=3.99"), ("a",),
         f"a does not run on Python {MINOR}", "1.0 requires Python >=3.99", "another `python:`"),
    Case("source alone", lambda i: i.add_sdist("a"), ("a==1.0",),
         "a 1.0 is published only as a source distribution", "no wheel of it", "allow-sdist: [a]"),
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        served.add("pip", "25")
        yield served


def refusal(index: FakeIndex, store: Store, resolver: str, *texts: str, hashes: tuple[str, ...] = ()
            ) -> ResolveError:  # fmt: skip
    requirements = tuple(asked(text, line, hashes) for line, text in enumerate(texts, 1))
    asking = replace(request(index.simple, target=host_target()), requirements=requirements)
    with pytest.raises(ResolveError) as caught:
        resolve_pip(asking, resolver, store=store, report=SilentReporter())
    require_sense(caught.value)
    return caught.value


def require_sense(error: ResolveError) -> None:
    """No error speaks of a version as a package, offers a choice of nothing, or has no place."""
    text = str(error)
    assert error.where is not None
    assert not re.search(r"no \d[\d-]* *$|called \d", error.what), text
    assert "no version at all" not in text
    if "choose one of these" in text:
        assert error.found
    if error.found and "only" in error.found:
        assert "no wheel that fits" not in text


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_has_its_translation(
    index: FakeIndex, store: Store, resolver: str, case: Case
) -> None:
    case.fill(index)
    error = refusal(index, store, resolver, *case.requires)
    assert case.what in error.what
    assert case.found in (error.found or "")
    assert case.hint in (error.hint or "")
    assert str(error.where) == "requirements.in:1"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_marker_that_holds_changes_nothing(index: FakeIndex, store: Store, case: Case) -> None:
    """uv then names the package ``psycopg2{sys_platform == 'linux'}``, and 2.9.5 was taken for it."""
    case.fill(index)
    marked = refusal(index, store, "uv", *(f"{text}{MARKER}" for text in case.requires))
    plain = refusal(index, store, "uv", *case.requires)
    assert (marked.what, marked.found, marked.hint) == (plain.what, plain.found, plain.hint)


@pytest.mark.parametrize("marker", ["", MARKER])
@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_hashes_of_another_platform_where_there_is_no_other(
    index: FakeIndex, store: Store, resolver: str, marker: str
) -> None:
    unfit(index)
    windows = index.files["psycopg2"][0]
    error = refusal(
        index, store, resolver, f"psycopg2==2.9.5{marker}", hashes=(sha256(windows.data),)
    )
    assert "psycopg2 2.9.5 has no wheel for Python" in error.what
    assert error.details == (
        f"requirements.in:1: the hashes given are those of psycopg2-2.9.5-{WINDOWS}.whl",
    )


@pytest.mark.parametrize("tags", [WINDOWS, OLD])
@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_hashes_of_another_target_where_there_is_a_wheel_that_fits(
    index: FakeIndex, store: Store, resolver: str, tags: str
) -> None:
    other = index.add("a", tags=tags, members=contents("other"))
    index.add("a", tags=LINUX)
    error = refusal(index, store, resolver, "a==1.0", hashes=(sha256(other.data),))
    assert error.what == "the hashes of a 1.0 are those of files for another Python or platform"
    assert error.found == other.name
    assert f"a-1.0-{LINUX}.whl" in (error.expected or "")


@pytest.mark.parametrize("resolver", ["uv", "pip-tools"])
def test_two_that_exclude_one_another(index: FakeIndex, store: Store, resolver: str) -> None:
    for name, need in (("a", "c<2"), ("b", "c>=2")):
        index.add(name, requires=[need])
    for version in ("1.0", "2.0"):
        index.add("c", version)
    error = refusal(index, store, resolver, "a", "b")
    assert error.what == "these requirements conflict"
    assert {line for line in error.details if "is requested in" in line} == {
        "a is requested in requirements.in:1",
        "b is requested in requirements.in:2",
    }


def test_metadata_that_no_resolver_can_read(index: FakeIndex, store: Store) -> None:
    index.add("a", requires=["this is no requirement"])
    error = refusal(index, store, "uv", "a")
    assert error.what == "the metadata of a 1.0 cannot be read"
    assert "this is no requirement" in (error.found or "")


def warnings(index: FakeIndex, store: Store, name: str) -> tuple[str, ...]:
    asking = request(index.simple, name, target=host_target())
    return resolve_pip(asking, "uv", store=store, report=SilentReporter()).warnings


def test_a_package_that_is_long_there_is_no_slip(index: FakeIndex, store: Store) -> None:
    for number in range(12):
        index.add("numpi", f"1.{number}", uploaded=f"20{13 + number}-01-01T00:00:00Z")
    assert warnings(index, store, "numpi") == ()
    index.files["numpi"] = index.files["numpi"][-2:]
    assert "numpi is one letter away from numpy" in warnings(index, store, "numpi")[0]


@pytest.mark.parametrize("name", ["tomli", "toml"])
def test_well_known_names_are_no_slips_of_one_another(
    index: FakeIndex, store: Store, name: str
) -> None:
    index.add(name)
    assert warnings(index, store, name) == ()
