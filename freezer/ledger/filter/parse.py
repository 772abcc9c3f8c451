"""From the text of a filter to what it says, by a grammar; errors show their place.

The operators and the quoting of names are those of MLflow's search and of SQL: names with blanks or
dashes stand in backticks or double quotes, text in single quotes.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from freezer.errors import QueryError
from freezer.ledger.filter.fault import query_error
from freezer.ledger.filter.syntax import (
    Comparison,
    FieldName,
    Junction,
    Literals,
    Member,
    Node,
    Not,
    Present,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST: Final = 10_000
"""Characters of a filter."""
DEEPEST: Final = 50
"""Levels of nested parentheses."""
MOST: Final = 300
"""Comparisons of a filter: SQLite takes expressions that are 1,000 levels deep, no deeper."""
_GRAMMAR: Final = r"""
    start: _or
    _or: any
    any: all (_OR all)*
    all: _term (_AND _term)*
    _term: "(" any ")" | negation | comparison | member | present
    negation: _NOT _term
    comparison: field OPERATOR value
              | field LIKE value -> like
    member: field _IN "(" value ("," value)* ")" -> member
          | field _NOT _IN "(" value ("," value)* ")" -> not_member
    present: field _IS _NOT _NULL -> present
           | field _IS _NULL -> absent
    field: PART ("." PART)*
    value: QUOTED | BARE

    OPERATOR: "!=" | "<>" | "<=" | ">=" | "==" | "=" | "<" | ">"
    LIKE: /i?like\b/i
    _AND.2: /and\b/i
    _OR.2: /or\b/i
    _NOT.2: /not\b/i
    _IN.2: /in\b/i
    _IS.2: /is\b/i
    _NULL.2: /null\b/i
    PART: /[A-Za-z_][A-Za-z0-9_\/-]*|[0-9]+|`[^`]+`|"[^"]+"/
    QUOTED: /'(?:[^']|'')*'/
    BARE: /[0-9A-Za-z_.:+-]+/

    %ignore /\s+/
"""


@lru_cache(maxsize=256)
def parse_filter(text: str) -> Node:
    """Return the parsed filter; cached, as the same filters are used often.

    Raises ``QueryError`` with the place marked.
    """
    if len(text) > LONGEST:
        raise QueryError(f"a filter of more than {LONGEST:,} characters")
    depth = deepest = 0
    for one in text:
        depth += (one == "(") - (one == ")")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise QueryError(f"parentheses are nested more than {DEEPEST} levels deep")
    try:
        tree = _parser().parse(text)
    except UnexpectedEOF as error:
        raise query_error("the filter ends too early", text, len(text), error) from None
    except UnexpectedToken as error:
        place = len(text) if error.token.type == "$END" else error.token.start_pos or 0
        what = "the filter ends too early" if place == len(text) else "unexpected text"
        raise query_error(what, text, place, error) from None
    except UnexpectedCharacters as error:
        place = error.pos_in_stream or 0  # type: ignore[redundant-expr, unused-ignore]
        what = "a quote is not closed" if text[place] in "'\"`" else "unexpected character"
        raise query_error(what, text, place, error) from None
    node: Node = _Build().transform(tree)
    if _comparisons(node) > MOST:
        raise QueryError(
            f"a filter of more than {MOST} comparisons", hint="split it into several queries"
        )
    return node


def _comparisons(node: Node) -> int:
    if isinstance(node, Junction):
        return sum(map(_comparisons, node.parts))
    if isinstance(node, Not):
        return _comparisons(node.inner)
    return len(node.values) if isinstance(node, Member) else 1


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", propagate_positions=True)


@v_args(inline=True)
class _Build(Transformer[Any, Any]):
    """Turns the parse tree into `freezer.ledger.filter.syntax`."""

    def start(self, node: Node) -> Node:
        return node

    def any(self, *parts: Node) -> Node:
        return _junction("or", parts)

    def all(self, *parts: Node) -> Node:
        return _junction("and", parts)

    def negation(self, inner: Node) -> Node:
        return Not(inner)

    def comparison(self, field: FieldName, operator: Token, value: Literals) -> Node:
        spelled = {"<>": "!=", "==": "="}.get(str(operator), str(operator))
        return Comparison(field, spelled, value)  # type: ignore[arg-type]

    def like(self, field: FieldName, operator: Token, value: Literals) -> Node:
        return Comparison(field, str(operator).lower(), value)  # type: ignore[arg-type]

    def member(self, field: FieldName, *values: Literals) -> Node:
        return Member(field, values)

    def not_member(self, field: FieldName, *values: Literals) -> Node:
        return Not(Member(field, values))

    def present(self, field: FieldName) -> Node:
        return Present(field)

    def absent(self, field: FieldName) -> Node:
        return Not(Present(field))

    def field(self, *parts: Token) -> FieldName:
        name = ".".join(part[1:-1] if part[0] in '`"' else str(part) for part in parts)
        return FieldName(name, parts[0].start_pos or 0, parts[-1].end_pos or 0)

    def value(self, token: Token) -> Literals:
        quoted = token.type == "QUOTED"
        text = token[1:-1].replace("''", "'") if quoted else str(token)
        return Literals(text, quoted, token.start_pos or 0)


def _junction(kind: Any, parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Junction(kind, tuple(parts))
