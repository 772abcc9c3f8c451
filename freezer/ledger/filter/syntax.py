"""The syntax tree of a filter. Pure values; `compile` turns them into SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "like", "ilike"]


@dataclass(frozen=True)
class Literals:
    """A value as it was written: what it may mean depends on the field."""

    text: str
    quoted: bool
    start: int
    """Its position in the filter, from 0."""


@dataclass(frozen=True)
class FieldName:
    """A field by its dotted name."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Comparison:
    """A field compared with a value."""

    field: FieldName
    operator: Operator
    value: Literals


@dataclass(frozen=True)
class Member:
    """A field that equals one of several values."""

    field: FieldName
    values: tuple[Literals, ...]


@dataclass(frozen=True)
class Present:
    """A field that a run has."""

    field: FieldName


@dataclass(frozen=True)
class Not:
    """A negated condition."""

    inner: Node


@dataclass(frozen=True)
class Junction:
    """Several conditions joined by `and` or `or`."""

    kind: Literal["and", "or"]
    parts: tuple[Node, ...]


Node = Comparison | Member | Present | Not | Junction
