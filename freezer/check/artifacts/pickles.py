"""Pickles, and joblib's files of them: read as what they describe, and never loaded.

Loading a pickle runs its code. Here its instructions build a tree of plain nodes instead: a
class or a function is its name, a call is a node of the name and the arguments. Two pickles of
equal objects have equal trees, although texts that are one object in the one file are two in the
other, and although NumPy leaves the gaps within rows of structured arrays uninitialised.
"""

from __future__ import annotations

import pickletools
import struct
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from freezer.check.artifacts.description import LARGEST_WHOLE, Format, NotThisFormatError, Parts
from freezer.check.artifacts.nodes import Node, atom, tree_digest
from freezer.check.artifacts.numpy_rows import is_wrapper, read_wrapped, without_gaps

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST: Final = 2_000_000
"""Instructions of one object: each may take some hundred bytes of memory."""
_NAMES: Final = (".pkl", ".pickle", ".joblib", ".sav")
_SETS: Final = {
    b"__builtin__ set": "set", b"__builtin__ frozenset": "frozenset",
    b"builtins set": "set", b"builtins frozenset": "frozenset",
}  # fmt: skip
"""Before protocol 4 a set is a call with a list."""
_ADDRESSES: Final = (b"_stop_words_id",)
"""Attributes that hold a memory address: of scikit-learn's text vectorizers."""
_MARK: Final = Node("mark")


class _Stream:
    """A file whose reads ask for no more than there is: a length in a pickle may be any."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = stream.seek(0, 2)
        stream.seek(0)
        if self._size > LARGEST_WHOLE:
            message = "more than 1 GiB"
            raise NotThisFormatError(message)

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._stream.tell()
        return self._stream.read(left if size < 0 else min(size, left))

    def readline(self) -> bytes:
        return self._stream.readline()

    def tell(self) -> int:
        return self._stream.tell()

    def left(self) -> int:
        return self._size - self._stream.tell()


def _pickle(stream: BinaryIO) -> Parts:
    """Yield the digest of each object that a file holds, one pickle after the other."""
    source = _Stream(stream)
    while source.left():
        yield "object", tree_digest(_Machine(source).run())


class _Machine:
    """Carries out the instructions of one pickle on nodes."""

    def __init__(self, source: Any, depth: int = 0) -> None:
        self._source = source
        self._depth = depth
        self._stack: list[Node] = []
        self._memo: dict[int, Node] = {}

    def run(self) -> Node:
        """Return the object that the pickle describes. Raises ``NotThisFormatError``."""
        for count, (opcode, argument, _) in enumerate(pickletools.genops(self._source)):
            if count > _MOST:
                break
            if opcode.name == "STOP":
                return self._pop()
            self._step(opcode.name, argument)
        message = "a pickle without an end, or too long"
        raise NotThisFormatError(message)

    def _step(self, name: str, argument: Any) -> None:
        if name in _ATOMS:
            self._push(_ATOMS[name](argument))
        elif name in _EMPTY:
            self._push(Node(_EMPTY[name]))
        elif name in _OF_MARK:
            self._push(Node(_OF_MARK[name], self._to_mark()))
        elif name in _TUPLES:
            parts = [self._pop() for _ in range(_TUPLES[name])][::-1]
            self._push(Node("tuple", parts))
        elif name not in ("PROTO", "FRAME"):
            step = _STEPS.get(name)
            if step is None:
                message = f"an instruction that is not read here: {name}"
                raise NotThisFormatError(message)
            step(self, argument)

    def _push(self, node: Node) -> None:
        self._stack.append(node)

    def _pop(self) -> Node:
        if not self._stack or self._stack[-1] is _MARK:
            message = "a pickle takes what is not there"
            raise NotThisFormatError(message)
        return self._stack.pop()

    def _to_mark(self) -> list[Node]:
        found: list[Node] = []
        while self._stack:
            node = self._stack.pop()
            if node is _MARK:
                return found[::-1]
            found.append(node)
        message = "a pickle takes what is not there"
        raise NotThisFormatError(message)

    def mark(self, _: Any) -> None:
        """MARK."""
        self._push(_MARK)

    def pop(self, _: Any) -> None:
        """POP, also of a mark."""
        if not self._stack:
            self._pop()
        self._stack.pop()

    def pop_mark(self, _: Any) -> None:
        """POP_MARK."""
        self._to_mark()

    def duplicate(self, _: Any) -> None:
        """DUP."""
        node = self._pop()
        self._stack += [node, node]

    def get(self, argument: Any) -> None:
        """GET and its relatives."""
        self._push(self._memo[int(argument)])

    def put(self, argument: Any) -> None:
        """PUT and its relatives."""
        node = self._pop()
        self._push(node)
        self._memo[int(argument)] = node

    def memoize(self, _: Any) -> None:
        """MEMOIZE."""
        self.put(len(self._memo))

    def extend_one(self, _: Any) -> None:
        """APPEND."""
        item = self._pop()
        self._top().parts.append(item)

    def extend_pair(self, _: Any) -> None:
        """SETITEM."""
        value, key = self._pop(), self._pop()
        self._top().parts += [key, value]

    def extend(self, _: Any) -> None:
        """Carry out APPENDS, ADDITEMS and SETITEMS."""
        items = self._to_mark()
        self._top().parts.extend(items)

    def _top(self) -> Node:
        node = self._pop()
        self._push(node)
        return node

    def stack_global(self, _: Any) -> None:
        """STACK_GLOBAL."""
        name, module = self._pop(), self._pop()
        self._push(Node("global", data=module.data + b" " + name.data))

    def call(self, _: Any) -> None:
        """REDUCE and NEWOBJ."""
        arguments, callee = self._pop(), self._pop()
        kind = _SETS.get(callee.data) if callee.kind == "global" else None
        if kind is not None and [one.kind for one in arguments.parts] == ["list"]:
            self._push(Node(kind, arguments.parts[0].parts))
        else:
            self._push(without_gaps(Node("call", [callee, arguments])))

    def call_with_keywords(self, _: Any) -> None:
        """NEWOBJ_EX."""
        keywords, arguments, callee = self._pop(), self._pop(), self._pop()
        self._push(Node("call", [callee, arguments, keywords]))

    def instance(self, argument: Any) -> None:
        """INST."""
        arguments = Node("tuple", self._to_mark())
        self._push(Node("call", [atom("global", str(argument)), arguments]))

    def object(self, _: Any) -> None:
        """OBJ."""
        callee, *arguments = self._to_mark()
        self._push(Node("call", [callee, Node("tuple", arguments)]))

    def build(self, _: Any) -> None:
        """BUILD: a state for the object below it; after a wrapper of joblib the array follows."""
        state, node = _without_addresses(self._pop()), self._top()
        node.parts.append(Node("state", [state]))
        if is_wrapper(node):
            node.parts.append(read_wrapped(state, self._source, self._nested))
        else:
            without_gaps(node)

    def _nested(self) -> Node:
        if self._depth > 2:
            message = "arrays of objects within each other"
            raise NotThisFormatError(message)
        return _Machine(self._source, self._depth + 1).run()

    def persistent(self, _: Any) -> None:
        """BINPERSID."""
        self._push(Node("persistent", [self._pop()]))


def _without_addresses(state: Node) -> Node:
    if state.kind != "dict":
        return state
    pairs = zip(state.parts[::2], state.parts[1::2], strict=False)
    kept = [one for pair in pairs if pair[0].data not in _ADDRESSES for one in pair]
    return Node("dict", kept) if len(kept) != len(state.parts) else state


def _double(value: Any) -> Node:
    return Node("float", data=struct.pack(">d", value))


def _integer(value: Any) -> Node:
    if isinstance(value, bool):
        return Node(str(value))
    return atom("int", hex(value))


def _text(value: Any) -> Node:
    return Node("text", data=value.encode("utf-8", "surrogatepass"))


def _bytes(value: Any) -> Node:
    data = value.encode("latin-1", "backslashreplace") if isinstance(value, str) else bytes(value)
    return Node("bytes", data=data)


_ATOMS: Final[dict[str, Callable[[Any], Node]]] = {
    "NONE": lambda _: Node("None"),
    "NEWTRUE": lambda _: Node("True"),
    "NEWFALSE": lambda _: Node("False"),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), _integer),
    **dict.fromkeys(("FLOAT", "BINFLOAT"), _double),
    **dict.fromkeys(("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _text),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), _bytes),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), _bytes),
    "BYTEARRAY8": lambda value: Node("bytearray", data=bytes(value)),
    "GLOBAL": lambda value: atom("global", value),
    "PERSID": lambda value: atom("persistent", value),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), lambda value: atom("extension", str(value))),
}
_EMPTY: Final = {
    "EMPTY_LIST": "list", "EMPTY_TUPLE": "tuple", "EMPTY_DICT": "dict", "EMPTY_SET": "set",
}  # fmt: skip
_OF_MARK: Final = {"LIST": "list", "TUPLE": "tuple", "DICT": "dict", "FROZENSET": "frozenset"}
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_STEPS: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.pop_mark,
    "DUP": _Machine.duplicate,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.put),
    "MEMOIZE": _Machine.memoize,
    "APPEND": _Machine.extend_one,
    "SETITEM": _Machine.extend_pair,
    **dict.fromkeys(("APPENDS", "ADDITEMS", "SETITEMS"), _Machine.extend),
    "STACK_GLOBAL": _Machine.stack_global,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.call),
    "NEWOBJ_EX": _Machine.call_with_keywords,
    "INST": _Machine.instance,
    "OBJ": _Machine.object,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
}


def _is_pickle(name: str, head: bytes) -> bool:
    return (
        name.endswith(_NAMES) and head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5")
    )


FORMATS: Final = (
    Format(
        "pickle",
        _is_pickle,
        _pickle,
        "which equal values are one object, the order of sets, gaps within rows of structured "
        "arrays, and `_stop_words_id`, a memory address",
        "CPython 3.11, joblib 1.6.0, scikit-learn 1.9.1: a fitted model, loaded and dumped again",
    ),
)
