"""What a command needs later, made ready while it waits for something else."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def meanwhile(ready: Callable[[], object], *, always: bool = False) -> Iterator[None]:
    """Call something during a block, in a thread of its own; a block that ends well waits for it.

    With ``always`` one that fails waits as well: where the thread writes something.

    What it raises is passed over: whoever needs later what it was to make ready will say it.
    """
    thread = Thread(target=_quietly, args=(ready,), daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        if always:
            thread.join()
        raise
    thread.join()


class Later:
    """Something that is done in a thread of its own once `start` is called."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._thread = Thread(target=_quietly, args=(work,), daemon=True)

    def start(self) -> None:
        """Begin; what it raises is passed over, as by `meanwhile`."""
        self._thread.start()

    def join(self) -> None:
        """Wait until it is done, if it was begun."""
        if self._thread.ident is not None:
            self._thread.join()


def _quietly(ready: Callable[[], object]) -> None:
    with suppress(Exception):
        ready()
