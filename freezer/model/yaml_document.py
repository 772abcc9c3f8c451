"""YAML that a person wrote, read with the line of every key, and without YAML's traps.

Pure: text in, values and places out. Takes the part of YAML that configuration needs: one document
of mappings with text keys, lists and scalars; neither anchors nor tags.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from freezer.errors import SpecError, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 32
"""Levels of a file; neither a spec nor a lock has half of them."""
_MOST = 1 << 20
_BITS = 64
"""Of a whole number: any that a file of Freezer has is far smaller."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_KEPT_AS_TEXT = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("float", "timestamp", "binary", "merge", "value")
)

Path = tuple[str | int, ...]


@dataclass
class Document:
    """The content of a file, with the line (1-based) of each value."""

    values: dict[str, Any]
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """Return the line of a key or item, or of its nearest parent."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


def read_yaml(data: bytes, name: str, *, may_be_empty: bool = False) -> Document:
    """Return a file's document. Raises ``SpecError`` with file and line.

    Numbers with a point and dates stay text, as written: ``3.10`` is a Python version and not the
    number 3.1. A file that ``may_be_empty`` has an empty document then.
    """
    node = _compose(_text(data, name), name)
    document = Document({})
    document.lines[()] = 1
    if may_be_empty and (node is None or node.tag == _NULL):
        return document
    if not isinstance(node, yaml.MappingNode):
        raise SpecError(
            "the file is empty" if node is None else "the file is not a mapping of keys to values",
            where=Where(name, 1),
            expected="lines such as 'name: my-env'",
            hint="`freeze init` writes one to start from",
        )
    document.values = _mapping(node, (), document, name)
    return document


def _text(data: bytes, name: str) -> str:
    if len(data) > _MOST:
        raise SpecError("the file is larger than one MiB", where=Where(name))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SpecError(
            "the file is not UTF-8 text",
            where=Where(name, line),
            found=f"byte 0x{data[error.start]:02x}",
            hint="save it as UTF-8",
        ) from None


def _compose(text: str, name: str) -> yaml.Node | None:
    try:
        for depth, event in events(text):
            if depth > DEEPEST:
                raise SpecError(
                    f"the file goes over {DEEPEST} levels deep",
                    where=Where(name, event.start_mark.line + 1),
                )
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise SpecError(
                    "anchors and aliases ('&', '*') are not used here",
                    where=Where(name, event.start_mark.line + 1),
                    hint="write the value out; quote it if it begins with '&' or '*'",
                )
        return yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise _broken(error, text, name) from None


def events(text: str) -> Iterator[tuple[int, Any]]:
    """Yield what a YAML text is made of, each with its depth, one at a time.

    Whoever looks for what is too deep here does not run a parser out of stack, which would end the
    process. Raises ``yaml.YAMLError``.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        yield depth, event
        depth -= isinstance(event, yaml.CollectionEndEvent)


def require_shallow(text: str, *, aliases: bool = False) -> None:
    """Raise ``yaml.MarkedYAMLError`` for over `DEEPEST` levels, or for aliases if not allowed.

    To be called before a loader that would build such a document.
    """
    for depth, event in events(text):
        if depth > DEEPEST or (isinstance(event, yaml.AliasEvent) and not aliases):
            deep = depth > DEEPEST
            problem = f"over {DEEPEST} levels" if deep else "a reference to another value"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def load_as_text(text: str) -> Any:
    """Return a YAML document with all scalars as text. Raises ``yaml.YAMLError``."""
    require_shallow(text, aliases=True)
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    return yaml.load(text, loader)  # noqa: S506 - constructs text only


def _broken(error: yaml.YAMLError, text: str, name: str) -> SpecError:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else None
    problem = str(getattr(error, "problem", None) or error)
    shown = text.splitlines()[line - 1] if line and line <= len(text.splitlines()) else ""
    tab = "\t" in shown[: len(shown) - len(shown.lstrip())]
    return SpecError(
        "the file is not valid YAML",
        where=Where(name, line),
        found="a tab in the indentation" if tab else problem,
        expected="spaces" if tab else None,
        hint="look at this line and the one above it: colons, quotes, indentation",
    )


def _value(node: yaml.Node, path: Path, document: Document, name: str) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document, name)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(item, (*path, index), document, name) for index, item in enumerate(node.value)
        ]
    return _scalar(node, path, name)


def _mapping(node: yaml.MappingNode, path: Path, document: Document, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise SpecError("a key is not text", where=Where(name, line))
        key = key_node.value
        if key in found:
            raise SpecError(
                f"the key {key!r} is given twice",
                where=Where(name, line, dotted((*path, key))),
                found=f"first on line {document.lines[*path, key]}",
                hint="keep one of them",
            )
        document.lines[*path, key] = line
        found[key] = _value(value_node, (*path, key), document, name)
    return found


def _scalar(node: yaml.Node, path: Path, name: str) -> Any:
    if node.tag in _KEPT_AS_TEXT or node.tag == _TEXT:
        return node.value
    try:
        value = yaml.SafeLoader("").construct_object(node, deep=True)
        if isinstance(value, int) and value.bit_length() > _BITS:
            raise OverflowError  # it cannot be printed
        return value
    except (ValueError, LookupError, ArithmeticError):
        # YAML takes `0b_` for a binary number and `!!bool x` for a truth value; neither is one.
        kind = node.tag.rpartition(":")[2]
        raise SpecError(
            f"the value is not of the type {kind!r} that YAML takes it for",
            where=Where(name, node.start_mark.line + 1, dotted(path)),
            found=node.value[:80] or "nothing",
            hint="quote it if it is meant as text",
        ) from None
    except yaml.YAMLError:
        raise SpecError(
            "a tag ('!') is not used here",
            where=Where(name, node.start_mark.line + 1, dotted(path)),
            found=str(node.tag),
            hint="quote the value if it begins with '!'",
        ) from None


def dotted(path: Path) -> str:
    """Return a path as people write it: ``smoke.training[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
