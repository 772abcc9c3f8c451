"""Progress goes where it is read: bars on a terminal, lines in a log, nothing where it is unwanted."""

import io

from rich.console import Console

from freezer.output.progress import ConsoleReporter
from freezer.output.text import plural, show_rows, size


def reporter(terminal=False, verbosity=1):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=60)
    return ConsoleReporter(console, verbosity), stream


def test_a_short_task_leaves_no_line_in_a_log():
    said, stream = reporter()
    with said.task("Fetching", total=10, unit="bytes") as task:
        task.advance(10)
        task.describe("a[b]c")
    assert stream.getvalue() == ""


def test_a_long_task_leaves_one(monkeypatch):
    monkeypatch.setattr("freezer.output.progress._WORTH_A_LINE", 0.0)
    said, stream = reporter()
    with said.task("Fetching"):
        pass
    assert "Fetching: 0 s" in stream.getvalue()


def test_tasks_nest_on_a_terminal():
    said, stream = reporter(terminal=True)
    with said.task("outer") as outer, said.task("inner", total=2, unit="bytes") as inner:
        inner.advance(2)
        outer.describe("[brackets] stay")
    assert "outer" in stream.getvalue()


def test_a_warning_is_said_once_and_always():
    said, stream = reporter(verbosity=0)
    said.warn("careful [x]")
    said.warn("careful [x]")
    said.note("silence")
    said.debug("silence")
    assert stream.getvalue() == "warning: careful [x]\n"


def test_long_text_is_not_folded():
    said, stream = reporter(verbosity=2)
    said.debug("x" * 200)
    assert stream.getvalue() == f"{'x' * 200}\n"


def test_rows_are_aligned_and_run_on():
    stream = io.StringIO()
    console = Console(file=stream, width=20)
    show_rows([("a", "1"), ("[bold]bcd[/bold]", "2" * 40)], console)
    assert stream.getvalue() == f"a    1\nbcd  {'2' * 40}\n"
    show_rows([], console)


def test_sizes_are_those_of_registries():
    assert [size(n) for n in (999, 1000, 16_918_164)] == ["999 B", "1.0 kB", "16.9 MB"]
    assert [plural(n, "file") for n in (0, 1)] == ["0 files", "1 file"]
