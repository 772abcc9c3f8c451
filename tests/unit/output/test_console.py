"""Whoever wrote a text: what reaches the terminal is printable, and moves nothing on it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from freezer.cli import main
from freezer.cli.session import Session, current
from freezer.engine.build.steps import Log, Output, Step
from freezer.errors import BuildError, FreezerError, Where, printable, printable_lines
from freezer.model.events import SilentTask
from freezer.output.console import guarded, leave_terminal, make_console
from freezer.output.progress import ConsoleReporter
from freezer.output.text import document, show_rows, shown

HOSTILE = st.text(
    st.one_of(
        st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Zs", "Co"]),
        st.sampled_from("\x1b\x9b\x07\r\n\u202e\u2066\u200b[]/\\abc(){}:#"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
)
NAMED = "\x1b[2J\x1b]0;title\x07\x9b31m\u202egnp.exe\u2066[bold red]forged[/bold red][/]\rerror: all is well"
OWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What rich itself writes: colours, and movements of a progress bar."""


def harmless(text: str, *, terminal: bool = False) -> None:
    """Fail where a character could steer a terminal."""
    bare = OWN.sub("", text) if terminal else text
    bare = bare.replace("\r", "") if terminal else bare
    assert all(line.isprintable() for line in bare.split("\n")), ascii(bare)


def console(*, terminal: bool = False) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return guarded(Console(file=stream, force_terminal=terminal, width=300)), stream


WAYS: list[Callable[[Console, str], object]] = [
    lambda console, text: console.print(text, markup=False, highlight=False, soft_wrap=True),
    lambda console, text: console.print(escape(text)),
    lambda console, text: console.print(f"[bold]{escape(text)}[/bold] and more"),
    lambda console, text: show_rows([("a", escape(text)), (escape(text), "b")], console),
    lambda console, text: ConsoleReporter(console, 2).note(text),
    lambda console, text: ConsoleReporter(console, 2).warn(text),
    lambda console, text: ConsoleReporter(console, 2).debug(text),
    lambda console, text: console.print(_table(text)),
    lambda console, text: _task(ConsoleReporter(console, 2), text),
]


def _table(text: str) -> Table:
    table = Table(escape(text))
    table.add_row(escape(text))
    return table


def _task(reporter: ConsoleReporter, text: str) -> None:
    with reporter.task(text) as task:
        task.describe(text)


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=25)
@given(text=HOSTILE)
@example(text=NAMED)
def test_no_text_steers_a_log(way: Callable[[Console, str], object], text: str) -> None:
    out, stream = console()
    way(out, text)
    harmless(stream.getvalue())


@pytest.mark.parametrize("way", WAYS[:-2])
@settings(max_examples=25)
@given(text=HOSTILE.filter(lambda text: not OWN.search(text)))
@example(text=NAMED.replace("\x1b[2J", "\x1b\x1b"))
def test_no_text_steers_a_terminal(way: Callable[[Console, str], object], text: str) -> None:
    out, stream = console(terminal=True)
    way(out, text)
    harmless(stream.getvalue(), terminal=True)
    assert "\r" not in stream.getvalue()
    assert set(re.findall(r"\x1b\[[0-9;]*([A-Za-z])", stream.getvalue())) <= {"m"}


def test_a_bar_shows_others_words_without_their_movements() -> None:
    out, stream = console(terminal=True)
    _task(ConsoleReporter(out, 2), NAMED)
    harmless(stream.getvalue(), terminal=True)
    assert "\\x1b]0;title" in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()


@settings(max_examples=25)
@given(HOSTILE, HOSTILE)
@example(NAMED, NAMED)
def test_no_part_of_an_error_steers_a_terminal(one: str, other: str) -> None:
    error = FreezerError(one, where=Where(other, 1, one), found=other, expected=one, hint=other,
                         details=[one, other])  # fmt: skip
    harmless(str(error))
    lines = str(error).split("\n")
    assert not any(line.startswith("error:") for line in lines[1:])
    harmless(document(error.to_json()))
    assert json.loads(document(error.to_json())) == error.to_json()


@settings(max_examples=25)
@given(HOSTILE)
def test_what_is_printable_stays_as_it_is(text: str) -> None:
    if text.isprintable():
        assert printable(text) == shown(text) == text
    assert printable(text).isprintable()
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))


def test_the_command_prints_on_guarded_consoles_and_hides_passwords(
    capsys: pytest.CaptureFixture[str],
) -> None:
    current.__dict__.update(Session().__dict__)
    main._fail(FreezerError(NAMED, found="https://me:pa'ss@host/x"))
    said = capsys.readouterr()
    harmless(said.err)
    assert "\\x1b[2J" in said.err
    assert "pa'ss" not in said.err
    make_console().print(NAMED, markup=False)
    harmless(capsys.readouterr().out)


def test_the_lines_of_a_build_and_of_its_failure(capsys: pytest.CaptureFixture[str]) -> None:
    out, stream = console()
    log = Log(ConsoleReporter(out, 2), SilentTask())
    with pytest.raises(BuildError) as caught:
        log.follow([Step("1", NAMED), Output("1", f"{NAMED}\n\x9b2J\u202e\n")])
    harmless(stream.getvalue())
    harmless(str(caught.value))


def test_a_console_that_left_its_terminal_prints_no_colours() -> None:
    stream = io.StringIO()
    console = guarded(Console(file=stream, force_terminal=True, color_system="standard"))
    console.print("[bold red]one[/bold red]")
    assert "\x1b[" in stream.getvalue()
    leave_terminal(console)
    stream.truncate(stream.seek(0))
    console.print("[bold red]two[/bold red]")
    assert stream.getvalue() == "two\n"
