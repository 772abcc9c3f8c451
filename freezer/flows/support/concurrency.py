"""A few things at once: for work that waits for a network, or that runs outside of Python."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_AT_ONCE = min(4, max(2, os.cpu_count() or 1))
Item = TypeVar("Item")
Result = TypeVar("Result")


class _StoppedError(Exception):
    """Ends work whose result nobody wants any more."""


def at_once(
    work: Callable[[Item, Callable[[int], None]], Result],
    items: Iterable[Item],
    advance: Callable[[int], None] = lambda _: None,
) -> list[Result]:
    """Return what the work gives for each item, in their order.

    The work gets, beside its item, a function to tell of progress. The first error, or Ctrl-C, ends
    all of it: what is under way stops when it next tells of progress, what waits never begins.
    """
    stopped = threading.Event()

    def tell(amount: int) -> None:
        if stopped.is_set():
            raise _StoppedError
        advance(amount)

    pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
    try:
        futures = [pool.submit(_guarded, work, item, tell, stopped) for item in items]
        return [future.result() for future in futures]
    except _StoppedError:
        # One that stopped for another's sake stands before that one in the list.
        raise next(
            error
            for future in futures
            if (error := future.exception()) and not isinstance(error, _StoppedError)
        ) from None
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _guarded(
    work: Callable[[Item, Callable[[int], None]], Result],
    item: Item,
    tell: Callable[[int], None],
    stopped: threading.Event,
) -> Result:
    if stopped.is_set():
        raise _StoppedError
    try:
        return work(item, tell)
    except BaseException:
        stopped.set()
        raise
