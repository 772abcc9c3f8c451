"""Listener for waits that servers request; separate from the client, which imports slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []


def on_wait(listener: Callable[[str], None]) -> None:
    """Set the listener for waits that servers request, replacing an earlier one."""
    _listeners[:] = [listener]


def tell(text: str) -> None:
    """Report a wait that a server requests. Thread-safe."""
    for listener in _listeners:
        listener(text)
