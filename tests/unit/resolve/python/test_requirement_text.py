"""One requirement's text: what it means, or what to write instead."""

from __future__ import annotations

import pytest

from freezer.errors import SpecError, Where
from freezer.resolve.python.requirements.file import single
from freezer.resolve.python.requirements.options import parse_options, sha256_of
from freezer.resolve.python.requirements.parse import parse_requirement, refuse_editable

HERE = Where("r.txt", 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numpy", "numpy"),
        ("numpy>=1,<2", "numpy<2,>=1"),
        ("tool[a,b]==1.0 ; python_version > '3'", 'tool[a,b]==1.0; python_version > "3"'),
        ("a @ https://h/a-1-py3-none-any.whl", "a @ https://h/a-1-py3-none-any.whl"),
        (
            "https://h/a_b-1-py3-none-any.whl#sha256=00",
            "a-b @ https://h/a_b-1-py3-none-any.whl#sha256=00",
        ),
        (
            "https://h/t-1%2Bcpu-cp311-cp311-linux_x86_64.whl",
            "t @ https://h/t-1%2Bcpu-cp311-cp311-linux_x86_64.whl",
        ),
    ],
)
def test_what_is_understood(text: str, expected: str) -> None:
    assert str(parse_requirement(text, HERE)) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("git+https://h/x.git@main", "version control", "--find-links FOLDER"),
        ("x @ git+ssh://git@h/x.git", "version control", "pip wheel"),
        ("git@h:x/y.git", "version control", "pip wheel"),
        ("hg+https://h/x", "version control", "pip wheel"),
        ("./local", "path on this machine", "--find-links"),
        ("..", "path on this machine", "--find-links"),
        ("/abs/x.whl", "path on this machine", "--find-links"),
        ("x-1-py3-none-any.whl", "path on this machine", "--find-links"),
        ("x @ file:///abs/x.whl", "path on this machine", "--find-links"),
        ("https://h/x.tar.gz", "a URL without a package name", None),
        ("numpy=1.2", "not a requirement", "numpy==1.2"),
        ("numpy=1.2=py311_0", "not a requirement", "conda's syntax"),
        ("numpy 1.2", "not a requirement", "NAME==VERSION"),
        ("numpy==", "not a requirement", None),
        ("<<<<<<< HEAD", "not a requirement", None),
    ],
)
def test_what_is_refused_and_what_to_do(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        parse_requirement(text, HERE)
    assert caught.value.where == HERE
    assert hint is None or hint in str(caught.value.hint)


@pytest.mark.parametrize(
    "text",
    ["git+https://me:hunter2@h/x.git", "https://me:hunter2@h/x.zip", "x = https://me:hunter2@h"],
)
def test_refusals_show_no_secret(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_requirement(text, HERE)
    assert "hunter2" not in str(caught.value)


def test_editable_installs_are_refused() -> None:
    error = refuse_editable(["."], HERE)
    assert "editable" in error.what
    assert error.found == "-e ."
    assert "version control" in refuse_editable(["git+https://h/x#egg=x"], HERE).what


def test_options_by_any_of_their_names() -> None:
    options = parse_options(single("-i https://a --extra-index-url=https://b -f c --pre", HERE, {}))
    assert options.index_url == "https://a"
    assert options.extra_index_url == ["https://b"]
    assert options.find_links == ["c"]
    assert options.pre


@pytest.mark.parametrize("text", ["--nonesuch", "--index", "--extra-index https://b"])
def test_options_that_do_not_exist_are_refused_and_never_guessed(text: str) -> None:
    with pytest.raises(SpecError, match="an unknown option") as caught:
        parse_options(single(text, HERE, {}))
    assert caught.value.where == HERE


def test_refused_options_show_no_secret() -> None:
    with pytest.raises(SpecError) as caught:
        parse_options(single("--index https://me:hunter2@h/simple", HERE, {}))
    assert "hunter2" not in str(caught.value)


def test_the_sha256_among_hashes() -> None:
    one, other = "A" * 64, "b" * 64
    assert sha256_of([f"sha256:{one}", f"sha512:{'0' * 128}", f"sha256:{other}"], HERE) == (
        one.lower(),
        other,
    )
    assert sha256_of([], HERE) == ()


@pytest.mark.parametrize(
    ("hashes", "message"),
    [
        (["sha256:abc"], "a malformed hash"),
        (["nonsense"], "a malformed hash"),
        ([f"md5:{'0' * 32}"], "no SHA-256"),
    ],
)
def test_hashes_that_nothing_can_be_held_against(hashes: list[str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        sha256_of(hashes, HERE)
