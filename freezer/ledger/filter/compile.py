"""Compiles a parsed filter to SQL. Values are always bound, never part of the SQL text."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, false, not_, or_, select, union_all

from freezer.ledger.filter.fault import query_error
from freezer.ledger.filter.reading import readings
from freezer.ledger.filter.syntax import Comparison, Junction, Member, Not, Present
from freezer.ledger.schema import fields, names, runs
from freezer.ledger.values import KINDS, MOMENT, OF_EVERY_RUN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from freezer.ledger.filter.reading import Reading
    from freezer.ledger.filter.syntax import FieldName, Literals, Node, Operator

_KINDS_OF_NAMES: Final = select(
    names.c.name,
    names.c.id,
    *(
        exists().where(fields.c.name == names.c.id, fields.c.kind == kind).label(kind)
        for kind in KINDS
    ),
)
"""The kinds of values of each name: one index lookup for each kind."""
_EVERY_KIND: Final = frozenset(KINDS)
_HINT_OF_VALUES: Final = "put text and times in single quotes; leave numbers bare"
_HINT_OF_TIMES: Final = "write a time as '2026-11-30' or '2026-11-30 14:05' (UTC)"
Shape = tuple[Any, ...]
"""The structure of a filter without its values: filters of one shape share their SQL."""


@dataclass(frozen=True)
class Fields:
    """The fields that the runs of a ledger have: number of each name, and the kinds of values."""

    numbers: Mapping[str, int]
    kinds: Mapping[str, frozenset[str]]
    empty: bool = False
    """Whether there is no run at all: then any name may belong to a future field."""


def look_up(connection: Connection, node: Node) -> Fields:
    """Return the numbers and kinds of the fields in a filter."""
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
    """Return whether the ledger has no run."""
    return connection.scalar(select(runs.c.seq).limit(1)) is None


def assumed(node: Node, numbers: Mapping[str, int]) -> Fields | None:
    """Return what can be assumed about the fields in a filter without a query.

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
    shape, values = shaped(node, known, text, every)
    return expression(shape, iter(values))


def shaped(
    node: Node, known: Fields, text: str, every: Sequence[str] = ()
) -> tuple[Shape, list[Any]]:
    """Return the shape of a filter, and its values in the order in which `expression` takes them.

    Raises ``QueryError`` as `condition` does.
    """
    values: list[Any] = []

    def shape_of(node: Node) -> Shape:
        if isinstance(node, Junction):
            return (node.kind, *map(shape_of, node.parts))
        if isinstance(node, Not):
            return ("not", shape_of(node.inner))
        kinds = _kinds(node.field, known, text, every)
        number = known.numbers.get(node.field.name)
        if isinstance(node, Present):
            return _having(number, {}, values)
        if isinstance(node, Member):
            chosen = [_chosen(node.field, "=", one, kinds, text) for one in node.values]
            return ("or", *(_having(number, one, values) for one in chosen))
        found = _chosen(node.field, node.operator, node.value, kinds, text)
        return _having(number, found, values)

    return shape_of(node), values


def expression(shape: Shape, values: Iterator[Any]) -> ColumnElement[bool]:
    """Return the condition of a shape with its values, or with parameters in their places."""
    how, *parts = shape
    if how == "and":
        return and_(*(expression(part, values) for part in parts))
    if how == "or":
        return or_(*(expression(part, values) for part in parts))
    if how == "not":
        return not_(expression(parts[0], values))
    if how == "nothing":
        return false()
    chosen = [_runs_having(part, values) for part in parts or (None,)]
    # With `or` in one query SQLite would scan every run that has the field.
    return runs.c.seq.in_(chosen[0] if len(chosen) == 1 else union_all(*chosen))


def _runs_having(part: Shape | None, values: Iterator[Any]) -> Select[int]:
    found = select(fields.c.run).where(fields.c.name == next(values))
    if part is None:
        return found
    kind, make, operator, count = part
    own = [next(values) for _ in range(count)]
    return found.where(fields.c.kind == kind, make(operator, *own))


def _having(number: int | None, chosen: Mapping[str, Reading], values: list[Any]) -> Shape:
    """Return the shape of the runs that have a field, of which any of some readings holds."""
    if number is None:  # no run has the field
        return ("nothing",)
    if not chosen:
        values.append(number)
    for reading in chosen.values():
        values += (number, *reading.values)
    parts = ((kind, one.make, one.operator, len(one.values)) for kind, one in chosen.items())
    return ("any", *parts)


def _fields(node: Node) -> list[FieldName]:
    if isinstance(node, Junction):
        return [field for part in node.parts for field in _fields(part)]
    return _fields(node.inner) if isinstance(node, Not) else [node.field]


def _kinds(field: FieldName, known: Fields, text: str, every: Sequence[str]) -> frozenset[str]:
    """Return the kinds of values of a field; all kinds if the ledger is empty."""
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


def _chosen(
    field: FieldName, operator: Operator, value: Literals, kinds: frozenset[str], text: str
) -> dict[str, Reading]:
    """Return the readings of one comparison that a field's kinds allow. Raises ``QueryError``."""
    found = readings(operator, value)
    chosen = {kind: reading for kind, reading in found.items() if kind in kinds}
    if chosen:
        return chosen
    has = " or ".join(KINDS[kind] for kind in sorted(kinds))
    needs = " or ".join(KINDS[kind] for kind in found) or "nothing that a run could hold"
    raise query_error(
        f"{field.name} is {has}, and cannot be compared ({operator}) with {value.text!r}",
        text,
        value.start,
        found=needs,
        expected=has,
        hint=_HINT_OF_TIMES if kinds == {MOMENT} else _HINT_OF_VALUES,
    )
