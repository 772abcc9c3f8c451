"""Errors of rooms that know nothing of a spec, given the place in the spec that they are about."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from freezer.errors import FetchError, ResolveError, SpecError
from freezer.flows.project.environment import SPEC_FILE, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.flows.project.environment import Environment


@contextmanager
def errors_at(environment: Environment, *path: str, also: str | None = None) -> Iterator[None]:
    """Give errors of the block that name no place the one of a key; ``also`` extends their hint.

    A key that they name is given its line.
    """
    try:
        yield
    except (SpecError, ResolveError, FetchError) as error:
        where = error.where
        if where is not None and where.key and where.line is None and where.file == SPEC_FILE:
            error.where = place(environment, *where.key.split("."))
        elif where is None:
            error.where = place(environment, *path)
            if also is not None:
                error.hint = f"{error.hint}; {also}" if error.hint else also
        raise
