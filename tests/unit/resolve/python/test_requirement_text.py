"""One requirement's text: what it means, or what to write instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freezer.errors import SpecError, Where
from freezer.fetch.http.url import split_credentials
from freezer.model.spec.spec import PipSpec
from freezer.resolve.python.requirements.file import single
from freezer.resolve.python.requirements.gather import gather
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


@pytest.mark.parametrize(
    ("userinfo", "said"),
    [
        (r"me:back\slash", "backslash before its path"),
        ("me:slash/ed", "not a valid address"),
        ("me:quest?ion", "not a valid address"),
        ("me:ha#sh", "not a valid address"),
        ("me:per%cent", "not percent-encoded text"),
        ("me:%ff", "not percent-encoded text"),
        ("me:ta\tb", "not a valid address"),
        (r"host.example\evil", "backslash before its path"),
    ],
)
@pytest.mark.parametrize("form", ["--index-url", "--extra-index-url", "-f", "@", "toml", "file"])
def test_addresses_that_tools_read_differently_are_refused_where_they_stand(
    tmp_path: Path, userinfo: str, said: str, form: str
) -> None:
    """Each has a usable host to one tool, and another one or none to the next."""
    address = f"https://{userinfo}@127.0.0.1:8/simple/x-1-py3-none-any.whl"
    if form == "toml":
        name = "pyproject.toml"
        quoted = json.dumps(address)
        text = f'[project]\nname = "p"\n[[tool.uv.index]]\nurl = {quoted}\n'
    else:
        name = "r.txt"
        words = {"@": "x @ {}", "file": "# one\n-r '{}'"}.get(form, f"{form} '{{}}'")
        text = words.format(address)
    (tmp_path / name).write_text(text)
    with pytest.raises(SpecError) as caught:
        gather(tmp_path, PipSpec(files=(name,)))
    where = caught.value.where
    assert where is not None
    assert (where.file, where.line) == (name, {"toml": 4, "file": 2}.get(form, 1))
    assert any(item in str(caught.value) for item in (said, "not clear", "not a requirement"))
    assert caught.value.hint
    assert userinfo.partition(":")[2] not in str(caught.value) or ":" not in userinfo


@pytest.mark.parametrize("value", ["per%cent", "100%", "%zz", "a%2Fb", "sl/ash", "é", "%ff%"])
def test_a_variable_of_any_value_ends_in_a_usable_address(tmp_path: Path, value: str) -> None:
    (tmp_path / "r.txt").write_text("--index-url https://me:${SECRET}@h.example/simple\nx\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET", value)
        url = gather(tmp_path, PipSpec(files=("r.txt",))).options.index_url
    assert url is not None
    _, credentials = split_credentials(url)
    assert credentials is not None
    decoded = "a/b" if value == "a%2Fb" else value
    assert credentials == (b"me", decoded.encode())


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a~=1", "~=1.0"), ("a[x] ~= 3 ; python_version > '3'", ">=3,<4"), ("a===x", "a=="),
        ("a===1.0-what", "a=="),
    ],
)  # fmt: skip
def test_operators_that_need_another_version_get_a_hint(text: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_requirement(text, HERE)
    assert caught.value.where == HERE
    assert hint in str(caught.value.hint)
