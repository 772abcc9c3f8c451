"""Requirements files, line by line."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from freezer.errors import SpecError, Where
from freezer.resolve.python.requirements.file import Line, decode, lines, read_text, single


def read(text: str, **environment: str) -> list[Line]:
    return list(lines(text, "r.txt", environment))


def test_lines_have_their_places() -> None:
    found = read("# head\n\nnumpy\n   scipy>=1  # why\n")
    assert [(str(line.where), line.text) for line in found] == [
        ("r.txt:3", "numpy"),
        ("r.txt:4", "scipy>=1"),
    ]


def test_a_continued_line_has_the_place_of_its_first() -> None:
    found = read("numpy \\\n  >=1 \\\n  ,<2\nscipy\n")
    assert [(line.where.line, "".join(line.text.split())) for line in found] == [
        (1, "numpy>=1,<2"),
        (4, "scipy"),
    ]


def test_a_comment_ends_a_continuation() -> None:
    assert [line.text for line in read("numpy \\\n# no more\nscipy\n")] == ["numpy", "scipy"]


def test_a_continuation_at_the_end_of_the_file() -> None:
    assert [line.text for line in read("numpy \\")] == ["numpy"]


def test_a_hash_sign_within_a_word_is_no_comment() -> None:
    assert read("a @ https://host/a.whl#sha256=00 # c")[0].text == (
        "a @ https://host/a.whl#sha256=00"
    )


def test_options_are_split_as_a_shell_would() -> None:
    line = read("--find-links 'a folder' --pre")[0]
    assert (line.text, line.options) == ("", ("--find-links", "a folder", "--pre"))


def test_options_behind_a_requirement() -> None:
    line = read("a==1 --hash=sha256:00 --hash=sha256:11")[0]
    assert (line.text, len(line.options)) == ("a==1", 2)


def test_a_hyphen_in_a_name_is_no_option() -> None:
    assert read("scikit-learn ; python_version > '3'")[0].options == ()


def test_quotes_that_do_not_end_are_an_error_with_the_line() -> None:
    with pytest.raises(SpecError, match="options that cannot be read") as caught:
        read("a\n--find-links 'x\n")
    assert caught.value.where == Where("r.txt", 2)


def test_variables_are_filled_in_but_not_into_what_is_kept() -> None:
    line = read("--index-url https://u:${TOKEN}@h/simple", TOKEN="a b#c")[0]
    assert line.options == ("--index-url", "https://u:a%20b%23c@h/simple")
    assert line.raw == "--index-url https://u:${TOKEN}@h/simple"


def test_only_upper_case_variables_in_braces_count() -> None:
    assert read("a @ https://h/$A/${b}.whl")[0].text == "a @ https://h/$A/${b}.whl"


def test_a_variable_that_is_not_set_is_an_error() -> None:
    with pytest.raises(SpecError, match="environment variable TOKEN is not set") as caught:
        read("\n--index-url https://${TOKEN}@h/\n")
    assert caught.value.where == Where("r.txt", 2)


def test_a_line_that_stands_alone() -> None:
    where = Where("freeze.yaml", key="pip.requirements[0]")
    assert single("numpy  # fast", where, {}).text == "numpy"
    with pytest.raises(SpecError, match="an empty requirement"):
        single("  # nothing", where, {})


@pytest.mark.parametrize(
    "data",
    [
        "naïve\n".encode(),
        codecs.BOM_UTF8 + "naïve\n".encode(),
        codecs.BOM_UTF16_LE + "naïve\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "naïve\n".encode("utf-16-be"),
        codecs.BOM_UTF32_LE + "naïve\n".encode("utf-32-le"),
        "# -*- coding: latin-1 -*-\nnaïve\n".encode("latin-1"),
    ],
)
def test_files_in_any_coding(data: bytes) -> None:
    assert decode(data).splitlines()[-1] == "naïve"


def test_a_file_that_is_not_there_names_who_asked(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"b.txt cannot be read") as caught:
        read_text(tmp_path / "b.txt", "b.txt", Where("a.txt", 3))
    assert caught.value.where == Where("a.txt", 3)
    assert "No such file" in str(caught.value.found)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"# coding: nonesuch\n", b"caf\xe9\n"])
def test_a_file_that_is_not_text(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "b.txt").write_bytes(data)
    with pytest.raises(SpecError, match="is not text"):
        read_text(tmp_path / "b.txt", "b.txt")


def test_a_file_that_is_far_too_large(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"#" * ((8 << 20) + 1))
    with pytest.raises(SpecError, match="too large"):
        read_text(tmp_path / "b.txt", "b.txt")
