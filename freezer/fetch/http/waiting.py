"""Who is told when a server asks to wait; apart from the client, which is slow to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []


def on_wait(listener: Callable[[str], None]) -> None:
    """Have a listener told of the waits that servers ask for, in place of an earlier one."""
    _listeners[:] = [listener]


def tell(text: str) -> None:
    """Pass on that a server asks to wait. May come from any thread."""
    for listener in _listeners:
        listener(text)
