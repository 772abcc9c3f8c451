"""Errors in filters, with the position marked; the parser, slow to import, is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from freezer.errors import QueryError

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput

_EXPECTED: Final = {
    "OPERATOR": "a comparison (=, !=, <, <=, >, >=)",
    "LIKE": "like",
    "PART": "a field such as metrics.loss",
    "QUOTED": "text in single quotes",
    "BARE": "a number or digest",
    "_AND": "and",
    "_OR": "or",
    "_NOT": "not",
    "_IN": "in",
    "_IS": "is",
    "_NULL": "null",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": "a comma",
    "DOT": "a dot",
    "$END": "the end",
}


def query_error(
    what: str, text: str, place: int, error: UnexpectedInput | None = None, **more: Any
) -> QueryError:
    """Return an error that marks a position in a filter."""
    start = max(0, place - 50)
    shown = text[start : place + 30].replace("\n", " ")
    marked = [shown, " " * (place - start) + "^"]
    if error is not None:
        names = getattr(error, "accepts", None) or getattr(error, "expected", None) or ()
        wanted = sorted({_EXPECTED[name] for name in names if name in _EXPECTED})
        more.setdefault("expected", ", or ".join(wanted) or None)
    return QueryError(f"{what}, at character {place + 1} of the filter", details=marked, **more)
