"""Selectors of conda's files: evaluated as conda-build does, and what is unknown is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import SpecError
from freezer.model.spec.spec import CondaSpec
from freezer.resolve.conda.environment import gather_conda
from freezer.resolve.conda.selectors import Selectors, comment_of

LINUX = Selectors("linux-64", "3.11")
ARM = Selectors("linux-aarch64", "3.11")


@pytest.mark.parametrize(
    ("selector", "linux", "arm"),
    [
        ("linux", True, True),
        ("unix", True, True),
        ("not linux", False, False),
        ("not win", True, True),
        ("win or osx", False, False),
        ("win or linux", True, True),
        ("osx and arm64", False, False),
        ("linux and not aarch64", True, False),
        ("linux and aarch64", False, True),
        ("not (win or osx)", True, True),
        ("linux64", True, False),
        ("x86_64", True, False),
        ("x86", True, False),
        ("arm64", False, False),
        ("osx-arm64", False, False),
        ("linux-64", True, False),
        ("linux-aarch64 or osx-arm64", False, True),
        ("ppc64le", False, False),
        ("py >= 38", True, True),
        ("py<310 or py3k and linux", True, True),
        ("py2k", False, False),
        ("py==311 and win", False, False),
        ("target_platform == 'linux-64'", True, False),
        ('build_platform != "linux-64"', False, True),
        ("win and mystery", False, False),
        ("linux or mystery", True, True),
        ("linux and mystery", None, None),
        ("not mystery", None, None),
        ("mystery > 3", None, None),
    ],
)
def test_values(selector: str, linux: bool | None, arm: bool | None) -> None:
    assert LINUX.evaluate(selector)[0] is linux
    assert ARM.evaluate(selector)[0] is arm
    assert ("mystery" in selector) == (LINUX.evaluate(selector)[1] is not None)


@pytest.mark.parametrize(
    "text",
    ["1", "", " ", "linux osx", "not", "(linux", "linux)", "!win", "win || osx", "'x'", "py",
     "py > '3'", "linux,osx", "and", "see the notes", "=", "x" * 201, "(" * 150],
)  # fmt: skip
def test_what_is_no_selector_has_no_value(text: str) -> None:
    value, unknown = LINUX.evaluate(text)
    assert value is None
    assert unknown


NAMES = ["linux", "osx", "win", "unix", "aarch64", "x86_64", "arm64", "linux64", "py3k"]
TRUE = {"linux", "unix", "x86_64", "linux64", "py3k"}
EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES)
    | st.tuples(st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), st.integers(0, 400)).map(
        lambda pair: f"py {pair[0]} {pair[1]}"
    ),
    lambda inner: st.one_of(
        inner.map(lambda text: f"not {text}"),
        inner.map(lambda text: f"({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_every_expression_has_pythons_value(text: str) -> None:
    if len(text) > 200:
        return
    values = {name: name in TRUE for name in NAMES}
    expected = eval(text, {"__builtins__": {}}, {**values, "py": 311})
    assert LINUX.evaluate(text) == (expected, None)


@given(st.text())
def test_no_text_raises(text: str) -> None:
    LINUX.evaluate(text)
    LINUX.of_line(f"  - numpy  # [{text}]")
    comment_of(text)


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        ("  - numpy  # [win]", "# [win]"),
        ("  - numpy  # don't [win]", "# don't [win]"),
        ("  - 'numpy # [win]'", ""),
        ('  - "a # b"  # [osx]', "# [osx]"),
        ("  - it's # [osx]", "# [osx]"),
        ("  - numpy#[win]", ""),
        ("# [win]", "# [win]"),
        ("  - sel(win): 'x # y' # z", "# z"),
    ],
)
def test_a_comment_is_outside_of_quotes(line: str, comment: str) -> None:
    assert comment_of(line) == comment


FILE = """\
channels:
  - conda-forge
  - msys2  # [win]
dependencies:
  - a  # [not linux]
  - b  # [win or osx]
  - c  # [osx and arm64]
  - d  # [osx] for the laptops
  - e  # [linux] for the cluster (all of it)
  - f  # [see issue]
  - g  # see [the docs](https://docs.example)
  - h  # [win and cuda]
  - sel(osx-arm64): j
  - sel(linux-64): k
  - sel(not win): [l, m]
  - pip:
    - n  # [win or osx]
    - o  # [not win]
    - p  # [gpu]
"""


def test_a_file_of_selectors(tmp_path: Path) -> None:
    (tmp_path / "environment.yml").write_text(FILE)
    found = gather_conda(tmp_path, CondaSpec(file="environment.yml"), "3.11")
    assert [item.text for item in found.specs[1:]] == ["e", "f", "g", "k", "l", "m"]
    assert [text for text, _ in found.pip] == ["o", "p"]
    assert [channel.name for channel in found.channels] == ["conda-forge"]
    assert [text.partition(": ")[0] for text in found.warnings] == [
        "environment.yml:10", "environment.yml:12", "environment.yml:19",
    ]  # fmt: skip
    assert found.warnings[0].endswith("the entry is kept")
    assert found.warnings[1].endswith("the entry is skipped")


@pytest.mark.parametrize("selector", ["lunix", "osx-arm65", "", "linux win"])
def test_an_unknown_key_selector_is_refused_with_its_line(tmp_path: Path, selector: str) -> None:
    text = f"channels: [c]\ndependencies:\n  - numpy\n  - sel({selector}): scipy\n"
    (tmp_path / "environment.yml").write_text(text)
    with pytest.raises(SpecError, match="selector cannot be parsed") as caught:
        gather_conda(tmp_path, CondaSpec(file="environment.yml"), "3.11")
    assert str(caught.value.where) == "environment.yml:4"


def test_a_selector_that_contradicts_itself_drops_nothing() -> None:
    assert LINUX.of_line("- x  # [linux] or [osx]").applies
    assert LINUX.of_line("- x  # [linux] or [osx]").warnings
    assert not LINUX.of_line("- x  # [win] or [osx]").applies


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("- a  # [win", True), ("- a  # [linux and not osx  ", True), ("- a  # [a note", False),
        ("- a  # [win]", False), ("- a  # [linux] and [osx", True), ("- 'a # [win'", False),
    ],
)  # fmt: skip
def test_a_selector_whose_bracket_is_not_closed_is_named(line: str, warned: bool) -> None:
    found = Selectors("linux-64", "3.11").of_line(line)
    assert any("is not closed" in text for text in found.warnings) is warned
    assert found.applies or line.endswith("[win]")
