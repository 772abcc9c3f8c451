"""Every output fits the terminal, and nothing is cut."""

from __future__ import annotations

import io
import re

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from freezer.output.console import guarded
from freezer.output.fold import Screen, fold
from freezer.output.text import show_rows

DIGEST = "sha256:" + "0123456789abcdef" * 4
WORDS = st.lists(st.text("abc:/.[]é漢", min_size=1, max_size=30), min_size=1, max_size=20).map(
    " ".join
)


def screen(width: int = 60, *, terminal: bool = True) -> Screen:
    made = Screen(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    guarded(made)
    return made


def printed(console: Screen) -> list[str]:
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


def words(text: str) -> list[str]:
    return text.split()


@given(WORDS, st.integers(10, 80), st.integers(0, 6))
def test_folding_loses_nothing(text: str, width: int, indent: int) -> None:
    lines = [line.plain for line in fold(Text(" " * indent + text), width)]
    assert words(" ".join(lines)) == words(text)
    assert all(len(line) <= width or len(words(line)) == 1 for line in lines)
    assert lines[0].startswith(" " * indent)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=5), st.integers(20, 80))
def test_rows_lose_nothing(rows: list[tuple[str, ...]], width: int) -> None:
    console = screen(width)
    safe = [tuple(cell.replace("[", "(") for cell in row) for row in rows]
    show_rows(safe, console)
    lines = printed(console)
    told = [word for row in safe for cell in row for word in words(cell)]
    assert words(" ".join(lines)) == told
    assert all(len(line.rstrip()) <= width or len(words(line)) == 1 for line in lines)


def test_a_long_last_cell_is_folded_in_its_column() -> None:
    console = screen(40)
    show_rows([("engine", "docker 20.10 at unix:///run/docker.sock"), ("store", "full")], console)
    assert printed(console) == [
        "engine  docker 20.10 at",
        "        unix:///run/docker.sock",
        "store   full",
    ]


def test_elsewhere_lines_stay_whole() -> None:
    console = screen(40, terminal=False)
    show_rows([("engine", "word " * 30 + "end")], console)
    console.print("word " * 30, soft_wrap=True)
    assert [len(line) for line in printed(console)] == [161, 150]


def test_a_digest_is_not_broken() -> None:
    console = screen(60)
    console.print(f"sklearn-cpu: image {DIGEST}", soft_wrap=True)
    assert printed(console) == ["sklearn-cpu: image", f"  {DIGEST}"]


def test_styles_survive_folding() -> None:
    console = Screen(file=io.StringIO(), width=20, force_terminal=True, color_system="standard")
    console.print("one [red]two three four five six[/red] seven", soft_wrap=True)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert words(plain) == words("one two three four five six seven")
    assert text.count("\x1b[31m") == 2
