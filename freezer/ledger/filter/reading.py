"""How the value of a comparison can be read: as which kinds of values, and the condition of each.

A condition is a function of this module and its values, so that queries which differ by values
alone can share one text of SQL.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import and_, func, not_, or_

from freezer.ledger.schema import KEY_LENGTH, fields
from freezer.ledger.values import BOOLEAN, DIGEST, MOMENT, NUMBER, TEXT, stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import ColumnElement

    from freezer.ledger.filter.syntax import Literals, Operator

_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE: Final = re.compile(r"[+-]?[0-9]+")
_SPECIAL: Final = {"inf": math.inf, "+inf": math.inf, "-inf": -math.inf, "infinity": math.inf}
_DIGITS: Final = re.compile(r"(sha256:)?[0-9a-fA-F]{4,64}(…|\.\.\.)?")
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_ORDER: Final = ("<", "<=", ">", ">=")


class Reading(NamedTuple):
    """One interpretation of a comparison."""

    make: Callable[..., ColumnElement[bool]]
    """Makes the condition of the operator and the values, or of what stands for them."""
    operator: Operator
    values: tuple[Any, ...]


def readings(operator: Operator, value: Literals) -> dict[str, Reading]:
    """Return the interpretation of a comparison for each kind of field."""
    if operator in ("like", "ilike"):
        return dict.fromkeys((TEXT, DIGEST), _pattern(operator, stored_text(value.text)))
    found: dict[str, Reading] = {}
    word = value.text.lower()
    if not value.quoted:
        if word in ("true", "false") and operator not in _ORDER:
            found[BOOLEAN] = Reading(_compare_number, operator, (float(word == "true"),))
        if (as_number := _as_number(operator, word)) is not None:
            found[NUMBER] = as_number
    if _DIGITS.fullmatch(value.text) and operator not in _ORDER:
        digits = _digits(value.text)  # which sort before ``g``
        found[DIGEST] = Reading(_begins, operator, (digits, f"{digits}g"))
    if (moment := _moment(value.text)) is not None:
        found[MOMENT] = Reading(_compare_number, operator, (moment,))
    if value.quoted or not found:
        found[TEXT] = _as_text(operator, stored_text(value.text))
    return found


def _as_number(operator: Operator, word: str) -> Reading | None:
    if word == "nan":  # equal to nothing in SQL; here: the runs that diverged
        return Reading(_is_nan, operator, ()) if operator in ("=", "!=") else None
    if _WHOLE.fullmatch(word) and operator in ("=", "!="):
        # A double could not tell large ones apart; digits may be more than Python converts.
        sign, digits = "-" * word.startswith("-"), word.lstrip("+-").lstrip("0") or "0"
        if len(digits) > 15:
            return Reading(_compare_text, operator, (sign + digits,))
    if not _NUMBER.fullmatch(word) and word not in _SPECIAL:
        return None
    number = _SPECIAL[word] if word in _SPECIAL else float(word)
    return Reading(_compare_number, operator, (number,))


def _as_text(operator: Operator, stored: str) -> Reading:
    if operator == "=":
        return Reading(_equal_text, operator, (stored[:KEY_LENGTH], stored))
    return Reading(_compare_text, operator, (stored,))


def _pattern(operator: Operator, pattern: str) -> Reading:
    fixed = max(re.split(r"(?<!\\)[%_]", pattern), key=len)
    plain = re.sub(r"\\(.)", r"\1", fixed)
    if operator == "ilike" or not plain:
        return Reading(_like, operator, (pattern,))
    return Reading(_like_exactly, operator, (pattern, plain))


def _compare_number(operator: Operator, number: Any) -> ColumnElement[bool]:
    made: ColumnElement[bool] = _OPERATORS[operator](fields.c.number, number)
    return made


def _compare_text(operator: Operator, text: Any) -> ColumnElement[bool]:
    made: ColumnElement[bool] = _OPERATORS[operator](fields.c.text, text)
    return made


def _is_nan(operator: Operator) -> ColumnElement[bool]:
    missing = fields.c.number.is_(None)
    return missing if operator == "=" else not_(missing)


def _equal_text(operator: Operator, key: Any, text: Any) -> ColumnElement[bool]:
    """Return the condition that a text is equal; its indexed prefix narrows the search."""
    del operator
    return and_(fields.c.key == key, fields.c.text == text)


def _like(operator: Operator, pattern: Any) -> ColumnElement[bool]:
    # `%` and `_` are the pattern's; a backslash takes their meaning away.
    column = fields.c.text
    like = column.ilike if operator == "ilike" else column.like
    return like(pattern, escape="\\")


def _like_exactly(operator: Operator, pattern: Any, plain: Any) -> ColumnElement[bool]:
    """Return a LIKE that tells upper from lower case on SQLite as well.

    SQLite's LIKE folds ASCII letters. The longest fixed part is looked for exactly as well.
    """
    column = fields.c.text
    return and_(_like(operator, pattern), func.replace(column, plain, "") != column)


def _begins(operator: Operator, digits: Any, after: Any) -> ColumnElement[bool]:
    """Return the condition that a digest has a prefix, as a range of the index."""
    key = fields.c.key
    if operator == "=":
        return and_(key >= digits, key < after)
    return or_(key < digits, key >= after)


def _digits(text: str) -> str:
    return text.lower().removeprefix("sha256:").rstrip("….")


def _moment(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) < 8:
        return None
    zoned = found if found.tzinfo else found.replace(tzinfo=UTC)
    return zoned.timestamp() * 1e6
