"""What is made of uv's words; recorded, so that no index is needed."""

from __future__ import annotations

from typing import cast

import pytest

from freezer.errors import FetchError, ResolveError
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import Indexes
from freezer.fetch.python.simple_api import IndexFile
from freezer.resolve.python.index.releases import fitting, is_newer, releases, within
from freezer.resolve.python.index.undated import skipped_files, undated_warnings, uv_warnings
from freezer.resolve.python.interface import Provided
from freezer.resolve.python.pins import Candidate, Pin, parse_edges, requires, undated_names
from freezer.resolve.python.uv.answer import parse_pylock
from freezer.resolve.python.uv.errors import (
    blamed_for_sdist,
    explain,
    lacks_metadata,
    proof,
    undated_that_might_help,
)
from freezer.resolve.python.uv.run import requirement_lines, uv_toml
from tests.support.project.asking import AS_OF, asked, request


class Listed:
    """An index that lists some files."""

    def __init__(self, *files: IndexFile) -> None:
        self._files = files

    def files(self, project: str) -> list[IndexFile]:
        return [file for file in self._files if file.name.startswith(f"{project}-")]


def listed(*names: str, uploaded: str | None = "2026-01-01T00:00:00Z") -> PythonIndex:
    files = (IndexFile(name, f"https://h/{name}", uploaded=uploaded) for name in names)
    return cast("PythonIndex", Listed(*files))


HEAD = "error: No solution found when resolving dependencies\n  cause: "


def test_the_cause_is_what_the_user_pins_before_what_others_need() -> None:
    said = (
        HEAD + "Because deep==1.0 has no usable wheels and top==1 depends on deep==1.0, we can "
        "conclude that top==1 cannot be used.\n         And because mine==2 has no usable wheels "
        "and you require mine==2, we can conclude that your requirements are unsatisfiable."
    )
    index = listed("deep-1.0.tar.gz", "mine-2.tar.gz")
    asking = request("https://h/simple", "top==1", "mine==2")
    error = explain(said, asking, index)
    assert error.what.startswith("mine 2 is published only as a source distribution")


def test_the_cause_is_what_has_no_wheel_at_all_before_one_version_that_has_none() -> None:
    said = (
        HEAD + "Because sheets==1.4 has no usable wheels and frame[x]==3.4 has no usable wheels, "
        "we can conclude that frame[x]>=2 cannot be used.\n         And because you require "
        "frame[x]>=2, we can conclude that your requirements are unsatisfiable."
    )
    index = listed("sheets-1.4.tar.gz", "frame-3.4.tar.gz", "frame-3.3-py3-none-any.whl")
    error = explain(said, request("https://h/simple", "frame[x]>=2"), index)
    assert error.what.startswith("sheets 1.4")


def test_a_conflict_without_a_culprit_gives_the_proof() -> None:
    said = HEAD + (
        "Because a==1 depends on c<2 and b==1 depends on c>=2, we can conclude that a==1 and b==1 "
        "are incompatible.\n         And because you require a==1 and b==1, we can conclude that "
        "your requirements are unsatisfiable."
    )
    error = explain(said, request("https://h/simple", "a==1", "b==1", "z"), listed())
    assert isinstance(error, ResolveError)
    why, therefore, *places = error.details
    assert why.startswith("Because a==1 depends on c<2 and b==1 depends on c>=2, we can")
    assert therefore.endswith("we can conclude that your requirements are unsatisfiable.")
    assert places == [
        "a==1 is requested in requirements.in:1",
        "b==1 is requested in requirements.in:2",
    ]


def test_a_long_proof_loses_its_middle_and_its_repetitions() -> None:
    steps = "\n\n".join(
        f"         Because we know, x=={n} cannot be used. ({n})\n"
        "         And because y depends on z, y cannot be used."
        for n in range(40)
    )
    found = list(proof(f"{HEAD.strip()} {steps}"))
    assert len(found) == 7
    assert found[1] == "And because y depends on z, y cannot be used."
    assert "more steps" in found[3]


@pytest.mark.parametrize(
    "said",
    [
        "error: Request failed after 3 retries\n  cause: Failed to fetch: https://me:hunter2@h/a/",
        "error: Failed to fetch: `https://h/a?token=hunter2`\n  cause: HTTP 403 Forbidden",
        HEAD + "Because a was not found in the package registry and you require a, we can "
        "conclude that your requirements are unsatisfiable.\n\nhint: An index URL "
        "(https://me:hunter2@h/simple) could not be queried due to a lack of valid authentication "
        "credentials (401 Unauthorized).",
    ],
)
def test_failures_of_an_index_show_no_secret(said: str) -> None:
    error = explain(said, request("https://h/simple", "a"), listed())
    assert isinstance(error, FetchError)
    assert "hunter2" not in str(error)


def test_words_that_are_not_known_are_passed_on() -> None:
    error = explain(
        "warning: x\nerror: Couldn't parse requirement in `in.txt` at line 2\n  cause: odd\n",
        request("https://h/simple", "a", "b"),
        listed(),
    )
    assert error.details == ("Couldn't parse requirement in `in.txt` at line 2", "odd")
    assert str(error.where) == "requirements.in:2"
    assert explain("", request(None, "a"), listed()).details == ("no output",)


def test_what_stands_in_the_words() -> None:
    said = (
        "warning: `a-2-py3-none-any.whl` is missing an upload date, but user provided: x\n"
        "warning: `a-2-py3-none-any.whl` is missing an upload date, but user provided: x\n"
        "hint: Wheels are required for `My.Pkg` because building is disabled\n"
        "cause: HTTP status client error (404 Not Found) for url (https://h/a.whl.metadata)\n"
    )
    assert skipped_files(said) == ("a-2-py3-none-any.whl",)
    assert blamed_for_sdist(said) == {"my-pkg"}
    assert lacks_metadata(said)
    assert not lacks_metadata("404 Not Found")


FILTERED = """cause: Because there are no versions of my-pkg, …
hint: `my-pkg` was filtered by `exclude-newer` to only include packages uploaded before x."""
LEFT_OUT = "warning: `My_Pkg-2-py3-none-any.whl` is missing an upload date, but user provided: x\n"


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ("cause: Because there is no version of my-pkg>1 and you require my-pkg>1, …", True),
        ("cause: Because my-pkg-extra==1 has no usable wheels and you require it, …", False),
        ("cause: Because odd==1 has no usable wheels and you require odd==1, …", False),
        (f"{FILTERED} The requested version, v2, was published at 2027-01-01Z.", False),
        (f"{FILTERED} The latest version is v2.", True),
    ],
)
def test_when_files_without_a_date_are_worth_a_try(said: str, helps: bool) -> None:
    assert bool(undated_that_might_help(LEFT_OUT + said)) is helps
    assert not undated_that_might_help(said)


def test_uvs_warnings_of_the_users_packages_are_passed_on() -> None:
    said = (
        "warning: `a-2-py3-none-any.whl` is missing an upload date\n"
        "warning: The package `a==1` does not have an extra named `x`\n"
        "warning: The requested Python version 3.9 is not available\n"
        "Resolved 3 packages\n"
    )
    assert uv_warnings(said) == ["The package a==1 does not have an extra named x"]


def test_a_date_that_is_known_elsewhere_is_no_cause_to_warn() -> None:
    from tests.support.project.locks import make_lock

    locked = [make_lock().pip[0].model_copy(update={"name": "a", "version": "1"})]
    skipped = ["a-2-py3-none-any.whl", "a-0.5-py3-none-any.whl", "other-9-py3-none-any.whl", "x"]
    known = listed("a-2-py3-none-any.whl")
    assert undated_warnings(skipped, locked, [], known) == []
    silent = listed("a-2-py3-none-any.whl", uploaded=None)
    assert len(undated_warnings(skipped, locked, [], silent)) == 1


def test_what_has_no_date_is_named_once_and_never_what_conda_provides() -> None:
    dated = Pin("a", "1", (Candidate("a-1-py3-none-any.whl", "u", dated=True),))
    silent = [Pin(name, "1", (Candidate(f"{name}-1-py3-none-any.whl", "u"),)) for name in "cb"]
    asking = request(None, "a", provided={"c": Provided("1", "c", "conda's c")})
    assert undated_names([dated, *silent], asking) == ["b"]
    (said,) = undated_warnings([], [], ["b"], listed())
    assert said.startswith("b: no upload date is known")


# What an index offers


def test_releases_by_version_with_what_they_have() -> None:
    index = listed(
        "a-1.0.tar.gz",
        "a-1.0-cp311-cp311-manylinux_2_28_x86_64.manylinux_2_27_x86_64.whl",
        "a-1.0-cp39-cp39-musllinux_1_2_aarch64.whl",
        "a-0.9.zip",
        "a-2.0-py3-none-any.whl",
        "a-nonsense.whl",
    )
    old, middle, new = releases(index, "a", AS_OF)
    assert [str(item.version) for item in (old, middle, new)] == ["0.9", "1.0", "2.0"]
    assert (old.sdist, old.wheels) == (True, ())
    assert middle.pythons() == {"3.9", "3.11"}
    assert middle.architectures() == {"x86_64", "aarch64"}
    assert middle.glibc("3.11", "x86_64") == "2.27"
    assert middle.glibc("3.9", "x86_64") is None
    assert fitting([old, middle, new], request(None).target) == [middle, new]
    assert within([old, middle, new], "<2,>0.9") == [middle]
    assert within([old, middle, new], "nonsense") == [old, middle, new]


def test_what_is_newer_than_the_cut_off() -> None:
    def file(uploaded: str | None) -> IndexFile:
        return IndexFile("a", "u", uploaded=uploaded)

    assert is_newer(file("2026-06-01T00:00:00.000000Z"), AS_OF)
    assert not is_newer(file("2026-05-31T23:59:59.999999Z"), AS_OF)
    assert not is_newer(file(None), AS_OF)


# What goes in, and what comes out


def test_the_last_index_is_always_the_default_so_that_no_other_is_asked() -> None:
    for indexes in (
        Indexes("https://main", ("https://more",)),
        Indexes("https://main", ("https://more",), (), "unsafe-best-match"),
        Indexes(None, ("https://more",)),
    ):
        text = uv_toml(indexes)
        last = text.rindex("[[index]]")
        assert text.index("default = true") > last
        assert text.count("default = true") == 1
    assert "no-index = true" in uv_toml(Indexes(None, (), ("file:///w",)))


def test_addresses_are_quoted() -> None:
    import tomllib

    odd = 'https://h/"\\é😀/'
    found = tomllib.loads(uv_toml(Indexes(odd, (), (odd,))))
    assert found["index"][0]["url"] == odd
    assert found["find-links"] == [odd]


def test_requirements_one_a_line() -> None:
    lines = requirement_lines([asked("a[x]>=1; python_version>'3'"), asked("b @ https://h/b.whl")])
    assert lines == 'a[x]>=1; python_version > "3"\nb @ https://h/b.whl\n'


PYLOCK = "lock-version = '1.0'\ncreated-by = 'uv'\n"


def test_the_files_of_an_answer() -> None:
    """Also of an index that lists no hashes: uv writes an empty table then."""
    address = "https://h/a_b-1%2E0-py3-none-any.whl"
    text = f"""{PYLOCK}
[[packages]]
name = "a-b"
version = "1.0"
wheels = [
  {{ url = "{address}", size = 3, hashes = {{ sha256 = "00" }}, upload-time = 2026-01-01T00:00:00Z }},
  {{ name = "a_b-1.0-cp311-none-any.whl", url = "https://h/x", hashes = {{}} }},
]
sdist = {{ url = "https://h/a_b-1.0.tar.gz", hashes = {{}} }}

[[packages]]
name = "c"
archive = {{ url = "https://h/c-2-py3-none-any.whl", hashes = {{ sha256 = "11" }} }}

[[packages]]
name = "d"
version = "0.1"
sdist = {{ url = "https://h/d-0.1.tar.bz2", upload-time = 2010-01-01T00:00:00Z, hashes = {{}} }}
"""
    first, second, third = parse_pylock(text)
    assert first == Pin(
        "a-b",
        "1.0",
        (
            Candidate(
                "a_b-1.0-py3-none-any.whl",
                address,
                "00",
                3,
                dated=True,
            ),
            Candidate("a_b-1.0-cp311-none-any.whl", "https://h/x"),
        ),
        Candidate("a_b-1.0.tar.gz", "https://h/a_b-1.0.tar.gz"),
    )
    archive = Candidate("c-2-py3-none-any.whl", "https://h/c-2-py3-none-any.whl", "11")
    assert second == Pin("c", "", direct=archive)
    old = Candidate("d-0.1.tar.bz2", "https://h/d-0.1.tar.bz2", dated=True)
    assert third == Pin("d", "0.1", sdist=old)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "packages = 1",
        "[[packages]]\nversion = '1'",
        "[[packages]\n",
        "packages = [1]",
        f"{PYLOCK}[[packages]]\nname = 'a'\nwheels = [{{path = 'a-1-py3-none-any.whl'}}]",
        f"{PYLOCK}[[packages]]\nname = 'a'\nwheels = [{{url = 'https://h/a.txt', size = 'x'}}]",
    ],
)
def test_an_answer_of_another_form(text: str) -> None:
    with pytest.raises(ResolveError, match="has an unknown form"):
        parse_pylock(text)


def test_edges_in_both_resolvers_spelling() -> None:
    text = (
        "# head\na==1.0       # via b, C.d[x], -r in.txt\nb==2         # via -r in.txt\n"
        "c-d==1       # via -c constraints.txt, -r in.txt\n"
        "e @ https://h/e-1-py3-none-any.whl#sha256=00  # via b\nf==1\n"
    )
    edges = parse_edges(text)
    assert edges == {"a": {"b", "c-d"}, "b": set(), "c-d": set(), "e": {"b"}, "f": set()}
    assert requires(edges) == {"a": (), "b": ("a", "e"), "c-d": ("a",), "e": (), "f": ()}
