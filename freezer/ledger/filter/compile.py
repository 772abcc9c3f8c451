"""From what a filter says to SQL. Values are always bound, never pasted into the text."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, false, not_, or_, select, union_all

from freezer.ledger.filter.fault import query_error
from freezer.ledger.filter.syntax import Comparison, Junction, Member, Not, Present
from freezer.ledger.schema import KEY_LENGTH, fields, names, runs
from freezer.ledger.values import (
    BOOLEAN,
    DIGEST,
    KINDS,
    MOMENT,
    NUMBER,
    OF_EVERY_RUN,
    TEXT,
    stored_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from freezer.ledger.filter.syntax import FieldName, Literals, Node, Operator

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
_KINDS_OF_NAMES: Final = select(
    names.c.name,
    names.c.id,
    *(
        exists().where(fields.c.name == names.c.id, fields.c.kind == kind).label(kind)
        for kind in KINDS
    ),
)
"""Which kinds of values each name has: a look at the index for each."""
_EVERY_KIND: Final = frozenset(KINDS)

Reading = Callable[[], "ColumnElement[bool]"]
"""Makes the condition of a comparison when it is called: of most only one reading is needed."""


@dataclass(frozen=True)
class Fields:
    """The fields that the runs of a ledger have: number of each name, and the kinds of values."""

    numbers: Mapping[str, int]
    kinds: Mapping[str, frozenset[str]]
    empty: bool = False
    """Whether there is no run at all: then any name may be that of a field to come."""


def look_up(connection: Connection, node: Node) -> Fields:
    """Return what the ledger knows of the fields in a filter."""
    wanted = names_in(node)
    asked = _KINDS_OF_NAMES.where(names.c.name.in_(wanted))
    numbers: dict[str, int] = {}
    kinds: dict[str, frozenset[str]] = {}
    for name, number, *found in connection.execute(asked):
        numbers[name] = number
        kinds[name] = frozenset(kind for kind, one in zip(KINDS, found, strict=True) if one)
    unknown = any(not kinds.get(name) for name in wanted)
    return Fields(numbers, kinds, empty=unknown and is_empty(connection))


def is_empty(connection: Connection) -> bool:
    """Say whether the ledger has no run."""
    return connection.scalar(select(runs.c.seq).limit(1)) is None


def assumed(node: Node, numbers: Mapping[str, int]) -> Fields | None:
    """Return what can be assumed of the fields in a filter without a look at the ledger.

    That is, all kinds of values. A run that is found by it has a value of the right kind for each
    comparison, as long as all of them must hold: `look_up` would lead to the same result. Return
    None for other filters, and where a name is not in ``numbers``.
    """
    wanted = names_in(node)
    if not _all_must_hold(node) or not wanted <= numbers.keys():
        return None
    return Fields(numbers, dict.fromkeys(wanted, _EVERY_KIND))


def _all_must_hold(node: Node) -> bool:
    if isinstance(node, Junction):
        return node.kind == "and" and all(map(_all_must_hold, node.parts))
    return isinstance(node, Comparison | Present)


def names_in(node: Node) -> set[str]:
    """Return the names of the fields in a filter."""
    return {field.name for field in _fields(node)}


def all_names(connection: Connection) -> list[str]:
    """Return every field's name that any run has, sorted."""
    used = select(names.c.name).where(exists().where(fields.c.name == names.c.id))
    return sorted(connection.scalars(used).all())


def condition(
    node: Node, known: Fields, text: str, every: Sequence[str] = ()
) -> ColumnElement[bool]:
    """Return a condition on ``runs`` for a filter; ``every`` are all names, for messages.

    Raises ``QueryError`` for an unknown field, and for a value of another kind than the field's.
    """
    if isinstance(node, Junction):
        parts = [condition(part, known, text, every) for part in node.parts]
        return and_(*parts) if node.kind == "and" else or_(*parts)
    if isinstance(node, Not):
        return not_(condition(node.inner, known, text, every))
    kinds = _kinds(node.field, known, text, every)
    number = known.numbers.get(node.field.name)
    if isinstance(node, Present):
        return _runs_where(number)
    if isinstance(node, Member):
        parts = [_compared(number, node.field, "=", one, kinds, text) for one in node.values]
        return or_(*parts)
    return _compared(number, node.field, node.operator, node.value, kinds, text)


def _fields(node: Node) -> list[FieldName]:
    if isinstance(node, Junction):
        return [field for part in node.parts for field in _fields(part)]
    return _fields(node.inner) if isinstance(node, Not) else [node.field]


def _kinds(field: FieldName, known: Fields, text: str, every: Sequence[str]) -> frozenset[str]:
    """Return the kinds of values that a field has; all of them where nothing is known of it."""
    if found := known.kinds.get(field.name):
        return found
    if field.name in OF_EVERY_RUN:
        return frozenset((OF_EVERY_RUN[field.name],))
    if known.empty:
        return frozenset(KINDS)
    near = difflib.get_close_matches(field.name, every, 3, 0.6)
    raise query_error(
        f"no run has a field {field.name!r}",
        text,
        field.start,
        hint=f"did you mean {' or '.join(near)}?" if near else "`freeze runs fields` lists all",
    )


def _runs_where(number: int | None, *chosen: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition on runs that have a field, of which any of some conditions holds."""
    if number is None:  # no run has the field
        return false()
    parts = [_having(number, one) for one in chosen] or [_having(number)]
    # Of `or` in one query SQLite would look at each run that has the field.
    return runs.c.seq.in_(parts[0] if len(parts) == 1 else union_all(*parts))


def _having(number: int, *conditions: ColumnElement[bool]) -> Select[int]:
    return select(fields.c.run).where(fields.c.name == number, *conditions)


def _compared(
    number: int | None,
    field: FieldName,
    operator: Operator,
    value: Literals,
    kinds: frozenset[str],
    text: str,
) -> ColumnElement[bool]:
    """Return the condition for one comparison, by each kind that the value can be read as."""
    readings = _readings(operator, value)
    chosen = [and_(fields.c.kind == kind, how()) for kind, how in readings.items() if kind in kinds]
    if chosen:
        return _runs_where(number, *chosen)
    has = " or ".join(KINDS[kind] for kind in sorted(kinds))
    needs = " or ".join(KINDS[kind] for kind in readings) or "nothing that a run could hold"
    raise query_error(
        f"{field.name} is {has}, and cannot be compared ({operator}) with {value.text!r}",
        text,
        value.start,
        found=needs,
        expected=has,
        hint="put text and times in single quotes; leave numbers bare",
    )


def _readings(operator: Operator, value: Literals) -> dict[str, Reading]:
    """Return how a comparison reads for each kind of field: conditions, made when called."""
    if operator in ("like", "ilike"):
        return dict.fromkeys((TEXT, DIGEST), partial(_like, operator, value.text))
    found: dict[str, Reading] = {}
    word, number = value.text.lower(), fields.c.number
    if not value.quoted:
        if word in ("true", "false") and operator not in _ORDER:
            found[BOOLEAN] = partial(_apply, operator, number, float(word == "true"))
        if (as_number := _as_number(operator, word)) is not None:
            found[NUMBER] = as_number
    if _DIGITS.fullmatch(value.text) and operator not in _ORDER:
        found[DIGEST] = partial(_begins, operator, _digits(value.text))
    if (moment := _moment(value.text)) is not None:
        found[MOMENT] = partial(_apply, operator, number, moment)
    if value.quoted or not found:
        found[TEXT] = partial(_text, operator, value.text)
    return found


def _as_number(operator: Operator, word: str) -> Reading | None:
    if word == "nan":  # equal to nothing in SQL; here: the runs that diverged
        missing = fields.c.number.is_(None)
        return {"=": lambda: missing, "!=": lambda: not_(missing)}.get(operator)
    if _WHOLE.fullmatch(word) and operator in ("=", "!="):
        # A double could not tell large ones apart; digits may be more than Python converts.
        sign, digits = "-" * word.startswith("-"), word.lstrip("+-").lstrip("0") or "0"
        if len(digits) > 15:
            return partial(_apply, operator, fields.c.text, sign + digits)
    if not _NUMBER.fullmatch(word) and word not in _SPECIAL:
        return None
    number = _SPECIAL[word] if word in _SPECIAL else float(word)
    return partial(_apply, operator, fields.c.number, number)


def _text(operator: Operator, text: str) -> ColumnElement[bool]:
    """Return a comparison of texts; the indexed beginning narrows the search."""
    stored = stored_text(text)
    if operator == "=":
        return and_(fields.c.key == stored[:KEY_LENGTH], fields.c.text == stored)
    return _apply(operator, fields.c.text, stored)


def _like(operator: Operator, pattern: str) -> ColumnElement[bool]:
    stored = stored_text(pattern)
    # `%` and `_` are the pattern's; a backslash takes their meaning away.
    column = fields.c.text
    return column.ilike(stored, escape="\\") if operator == "ilike" else _glob(stored)


def _glob(pattern: str) -> ColumnElement[bool]:
    """Return a LIKE that tells upper from lower case on SQLite as well."""
    like = fields.c.text.like(pattern, escape="\\")
    fixed = max(re.split(r"(?<!\\)[%_]", pattern), key=len)
    plain = re.sub(r"\\(.)", r"\1", fixed)
    from sqlalchemy import func, literal

    # SQLite's LIKE folds ASCII letters. The longest fixed part is looked for exactly as well.
    return (
        and_(like, func.replace(fields.c.text, literal(plain), "") != fields.c.text)
        if plain
        else like
    )


def _begins(operator: Operator, digits: str) -> ColumnElement[bool]:
    """Return whether a digest begins so, as a range of the index: digits sort before ``g``."""
    key, after = fields.c.key, f"{digits}g"
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


def _apply(operator: Operator, column: Any, value: Any) -> ColumnElement[bool]:
    made: ColumnElement[bool] = _OPERATORS[operator](column, value)
    return made
