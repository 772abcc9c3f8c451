"""The console: all text goes through it to a terminal.

Trainings, servers, engines and files may send escape sequences, which can clear a screen, forge a
line of Freezer's own, or type for the user. Here every unprintable character is made visible; only
Freezer's own colours and cursor movements are passed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderHook
from rich.segment import Segment

from freezer.output.fold import Screen
from freezer.output.text import shown

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderResult


def make_console(*, stderr: bool = False) -> Console:
    """Return a console for stdout or stderr that fits the terminal and escapes text."""
    return guarded(Screen(stderr=stderr))


def leave_terminal(console: Console) -> None:
    """Print plain text from now on: the console's stream no longer leads to a terminal.

    A console decides on colours once, when it is made.
    """
    console._color_system = None  # noqa: SLF001 - rich has no other way to take them back


def guarded(console: Console) -> Console:
    """Make a console escape all text printed on it."""
    console.push_render_hook(_Guard())
    return console


class _Guard(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Printable(one) for one in renderables]


class _Printable:
    """Renders as another renderable does, without its unprintable characters."""

    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._inner, options):
            if segment.control:
                yield segment  # a cursor movement by rich itself
            else:
                yield Segment(shown(segment.text), segment.style)
