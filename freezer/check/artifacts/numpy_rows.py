"""NumPy's arrays within pickles: as pickle has them, and as joblib writes them after a wrapper.

A row of a structured array may have gaps between its columns; they contain whatever the
memory held before. So they are set to zero.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING, Any, Final

from freezer.check.artifacts.description import NotThisFormatError
from freezer.check.artifacts.nodes import Node

if TYPE_CHECKING:
    from collections.abc import Callable

_WRAPPER: Final = b"joblib.numpy_pickle NumpyArrayWrapper"
_RECONSTRUCT: Final = re.compile(rb"numpy\.(_?core)\.multiarray _reconstruct")
_FROM_BUFFER: Final = re.compile(rb"numpy\.(_?core)\.numeric _frombuffer")
_CODE: Final = re.compile(rb"[a-zA-Z]([0-9]{1,9})")
_BLOCK: Final = 1 << 20


def is_wrapper(node: Node) -> bool:
    """Return whether an object is the placeholder of an array that joblib writes after it."""
    return node.kind == "call" and node.parts[0].data == _WRAPPER


def without_gaps(node: Node) -> Node:
    """Set the gaps within the rows of an array to zero, if a node is an array's."""
    if node.kind != "call" or not node.parts:
        return node
    callee = node.parts[0].data
    if _RECONSTRUCT.fullmatch(callee) and node.parts[-1].kind == "state":
        [state] = node.parts[-1].parts
        if state.kind == "tuple" and len(state.parts) == 5:
            _close(state.parts, 4, state.parts[2])
    elif _FROM_BUFFER.fullmatch(callee) and len(node.parts[1].parts) >= 2:
        _close(node.parts[1].parts, 0, node.parts[1].parts[1])
    return node


def _close(parts: list[Node], place: int, dtype: Node) -> None:
    old, row = parts[place], _row(dtype)
    if row is not None and old.kind in ("bytes", "bytearray") and len(old.data) % len(row) == 0:
        parts[place] = Node(old.kind, data=_masked(old.data, row))


def _masked(data: bytes, row: bytes) -> bytes:
    found, size = bytearray(len(data)), len(row)
    for place, used in enumerate(row):
        if used:
            found[place::size] = data[place::size]
    return bytes(found)


def read_wrapped(state: Node, source: Any, nested: Callable[[], Node]) -> Node:
    """Read the array that follows a wrapper of joblib; ``nested`` reads one of objects.

    Raises ``NotThisFormatError``.
    """
    facts = _items(state)
    dtype, shape = facts.get(b"dtype"), facts.get(b"shape")
    if dtype is None or shape is None:
        raise NotThisFormatError(_NO_ARRAY)
    size, row = _item_size(dtype), _row(dtype)
    if size is None:
        raise NotThisFormatError(_NO_ARRAY)
    if _code(dtype).startswith(b"O"):
        return nested()
    alignment = facts.get(b"numpy_array_alignment_bytes")
    if alignment is not None and alignment.kind == "int":
        [padding] = source.read(1) or [0]
        source.read(padding)
    count = math.prod(_number(one) for one in shape.parts)
    return Node("data", data=_hashed(source, count * size, row))


_NO_ARRAY: Final = "an array of joblib that is not described as one"


def _hashed(source: Any, size: int, row: bytes | None) -> bytes:
    if size > source.left():
        raise NotThisFormatError(_NO_ARRAY)
    hasher = hashlib.sha256()
    step = _BLOCK if row is None else max(1, _BLOCK // len(row)) * len(row)
    while size:
        data = source.read(min(step, size))
        if not data:
            raise NotThisFormatError(_NO_ARRAY)
        size -= len(data)
        hasher.update(data if row is None else _masked(data, row))
    return hasher.digest()


def _items(node: Node) -> dict[bytes, Node]:
    pairs = zip(node.parts[::2], node.parts[1::2], strict=False)
    return {key.data: value for key, value in pairs} if node.kind == "dict" else {}


def _number(node: Node) -> int:
    if node.kind != "int":
        raise NotThisFormatError(_NO_ARRAY)
    value = int(node.data, 16)
    if not 0 <= value < 1 << 40:
        raise NotThisFormatError(_NO_ARRAY)
    return value


def _code(dtype: Node) -> bytes:
    """Return a type's code, such as ``f8``; nothing for what is no type."""
    arguments = dtype.parts[1].parts if dtype.kind == "call" and len(dtype.parts) > 1 else []
    return arguments[0].data if arguments else b""


def _item_size(dtype: Node) -> int | None:
    found = _CODE.fullmatch(_code(dtype))
    return None if found is None else int(found[1])


def _row(dtype: Node) -> bytes | None:
    """Return one byte for each of a structured row: 1 where a column is; None without gaps."""
    size = _item_size(dtype)
    if size is None or not _code(dtype).startswith(b"V") or not 0 < size < 1 << 16:
        return None
    used = bytearray(size)
    if not _mark(dtype, used, 0, 0) or all(used):
        return None
    return bytes(used)


def _mark(dtype: Node, used: bytearray, start: int, depth: int) -> bool:
    """Mark the bytes of each column; say whether all of them are understood."""
    columns = _columns(dtype)
    size = _item_size(dtype)
    if size is None or depth > 8 or start + size > len(used):
        return False
    if columns is None:
        if _code(dtype).startswith(b"V"):
            return False  # an array in a column, or bytes of no type
        used[start : start + size] = bytes([1]) * size
        return True
    return all(
        len(one.parts) >= 2 and _mark(one.parts[0], used, start + _number(one.parts[1]), depth + 1)
        for one in columns
    )


def _columns(dtype: Node) -> list[Node] | None:
    """Return type and offset of each column of a structured type; None for any other."""
    state = dtype.parts[-1]
    if state.kind != "state" or state.parts[0].kind != "tuple" or len(state.parts[0].parts) < 5:
        return None
    fields = state.parts[0].parts[4]
    return list(_items(fields).values()) if fields.kind == "dict" else None
