"""Selectors of conda files: ``# [win or osx]`` after an entry, ``sel(osx-arm64):`` as a key.

conda-build evaluates them as Python. Here they are parsed: platform names, ``py`` and
``target_platform``, comparisons, ``not``, ``and``, ``or`` and parentheses.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from freezer.resolve.conda.solver.interface import Subdir

_TRUE: Final = {
    "linux-64": frozenset({"linux", "unix", "linux64", "x86_64", "x86", "linux-64"}),
    "linux-aarch64": frozenset({"linux", "unix", "aarch64", "linux-aarch64"}),
}
_PLATFORMS: Final = frozenset(
    {
        *("linux", "linux32", "linux64", "unix", "osx", "osx64", "win", "win32", "win64"),
        *("x86", "x86_64", "arm64", "aarch64", "armv6l", "armv7l", "ppc64le", "s390x", "riscv64"),
        *("emscripten", "wasi", "wasm32", "freebsd", "zos", "emscripten-wasm32", "wasi-wasm32"),
        *("linux-32", "linux-64", "linux-aarch64", "linux-armv6l", "linux-armv7l"),
        *("linux-ppc64le", "linux-s390x", "linux-riscv64"),
        *("osx-64", "osx-arm64", "win-32", "win-64", "win-arm64"),
    }
)
_PYTHONS: Final = {"py2k": (2, None), "py3k": (3, None), "py27": (2, 7), "py34": (3, 4),
                   "py35": (3, 5), "py36": (3, 6)}  # fmt: skip
"""conda-build's names of Python versions; None: any minor version."""
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*(?:-\w+)*)|(?P<number>\d+)|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<sign>[=!<>]=|[<>()]))"
)
_BRACKETS: Final = re.compile(r"\[(?P<inside>[^\[\]]+)\](?!\()")
"""Brackets in a comment; ``[text](address)`` is a link, not a selector."""
_OPEN: Final = re.compile(r"\[(?P<inside>[^\[\]]+)$")
_LONGEST: Final = 200
"""Maximum characters of a selector; bounds the depth of its parentheses as well."""


@dataclass(frozen=True)
class Selected:
    """Whether an entry applies to the platform, and what in its selector is unknown."""

    applies: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selectors:
    """Evaluates selectors for one platform and one minor version of Python."""

    subdir: Subdir
    python: str
    """``3.11``."""

    def of_line(self, line: str) -> Selected:
        """Evaluate the selector in a line's comment.

        An entry applies when its selector cannot be parsed or when two contradict each other: to
        conda itself they are comments.
        """
        comment = comment_of(line)
        found = [match["inside"].strip() for match in _BRACKETS.finditer(comment)]
        values, warnings = set[bool](), list[str]()
        if (open_end := _OPEN.search(comment)) and self.evaluate(open_end["inside"])[1] is None:
            warnings.append(f"the bracket of the selector {open_end[0].strip()} is not closed")
        for text in found:
            value, unknown = self.evaluate(text)
            if unknown:
                warnings.append(f"{unknown} in the selector [{text}] cannot be parsed")
            if value is not None:
                values.add(value)
        if len(values) > 1:
            warnings.append("its selectors contradict each other")
        return Selected(values != {False}, tuple(warnings))

    def evaluate(self, text: str) -> tuple[bool | None, str | None]:
        """Return a selector's value, and the first unknown part of it.

        The value is None where it depends on the unknown part: ``win and x`` does not on Linux.
        """
        parser = _Parser(text, self._names())
        try:
            value = parser.parse()
        except _NotASelectorError as error:
            return None, str(error)
        unknown = parser.unknown[0] if parser.unknown else None
        return value, unknown

    def _names(self) -> dict[str, Any]:
        major, minor = (int(part) for part in self.python.split("."))
        names: dict[str, Any] = {name: name in _TRUE[self.subdir] for name in _PLATFORMS}
        names |= {
            name: major == wanted and least in (None, minor)
            for name, (wanted, least) in _PYTHONS.items()
        }
        names |= {"py": int(f"{major}{minor}"), "True": True, "False": False}
        return names | dict.fromkeys(("target_platform", "build_platform"), self.subdir)


def comment_of(line: str) -> str:
    """Return the comment of a line of YAML: the text after an unquoted ``#``; may be empty."""
    quote, before, fresh = "", " ", True
    for position, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and fresh:
            quote = letter
        elif letter == "#" and before.isspace():
            return line[position:]
        # A quote opens a string only where a value begins; elsewhere it is an apostrophe.
        fresh = letter in "-:,[{?" or (fresh and letter.isspace())
        before = letter
    return ""


class _NotASelectorError(ValueError):
    """A syntax error in a selector; its text names the part that cannot be parsed."""


@dataclass
class _Parser:
    """Recursive descent parser; unknown names evaluate to None."""

    text: str
    names: Mapping[str, Any]
    unknown: list[str] = field(default_factory=list)
    _tokens: list[str] = field(default_factory=list)

    def parse(self) -> bool | None:
        """Return the value. Raises ``_NotASelectorError``."""
        self._tokens = list(self._split())
        value: bool | None = self._or()
        if self._tokens:
            raise _NotASelectorError(repr(self._tokens[0]))
        return value

    def _split(self) -> Iterator[str]:
        if len(self.text) > _LONGEST:
            raise _NotASelectorError("the text")
        start, text = 0, self.text.rstrip()
        while start < len(text):
            match = _TOKEN.match(text, start)
            if match is None:
                raise _NotASelectorError(repr(text[start:].strip()))
            yield match[0].strip()
            start = match.end()

    def _next(self) -> str:
        if not self._tokens:
            raise _NotASelectorError("the end")
        return self._tokens.pop(0)

    def _accept(self, *words: str) -> str | None:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in words else None

    def _or(self) -> Any:
        values = [self._and()]
        while self._accept("or"):
            values.append(self._and())
        return values[0] if len(values) == 1 else _any(values)

    def _and(self) -> Any:
        values = [self._not()]
        while self._accept("and"):
            values.append(self._not())
        return values[0] if len(values) == 1 else _negated(_any([_negated(v) for v in values]))

    def _not(self) -> Any:
        return _negated(self._not()) if self._accept("not") else self._comparison()

    def _comparison(self) -> Any:
        left = self._atom()
        sign = self._accept(*_COMPARE)
        if sign is None:
            # A bare number is a footnote: `[1]`.
            if isinstance(left, bool) or left is None:
                return left
            raise _NotASelectorError(repr(self.text))
        right = self._atom()
        if left is None or right is None:
            return None
        if type(left) is not type(right):
            raise _NotASelectorError(repr(self.text))
        return _COMPARE[sign](left, right)

    def _atom(self) -> Any:
        word = self._next()
        if word == "(":
            value = self._or()
            if self._next() != ")":
                raise _NotASelectorError(repr(self.text))
            return value
        if word[0] in "'\"":
            return word[1:-1]
        if word.isdigit():
            return int(word)
        if word in self.names:
            return self.names[word]
        if word in _COMPARE or word in (")", "and", "or", "not"):
            raise _NotASelectorError(repr(word))
        self.unknown.append(repr(word))
        return None


def _any(values: list[Any]) -> bool | None:
    if any(values):
        return True
    return None if None in values else False


def _negated(value: Any) -> bool | None:
    return None if value is None else not value
