"""Parses requirements files as pip does: comments, continuations, options, includes.

Follows pip's documented format. pip's own parser is not used: it loses the line of an error, and
importing it takes as long as resolving.
"""

from __future__ import annotations

import codecs
import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import SpecError, Where
from freezer.fetch.http.url import fill_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_OPTION = re.compile(r"(?:^|\s)(--?[A-Za-z])")
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LARGEST = 8 << 20
"""Maximum bytes of a file."""


@dataclass(frozen=True)
class Line:
    """One logical line: the part before its options, and its options as words."""

    where: Where
    """The location of the first physical line."""
    text: str
    options: tuple[str, ...]
    raw: str
    """As written, without comments; variables are not expanded."""


def read_text(path: Path, label: str, named_at: Where | None = None) -> str:
    """Return a text file's content, decoded by byte order mark or declared coding.

    Raises ``SpecError`` with the location that names the file when it cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise SpecError(
                f"{label} is too large for a requirements file",
                where=named_at,
                expected=f"at most {_LARGEST} bytes",
            )
        return decode(path.read_bytes())
    except OSError as error:
        raise SpecError(
            f"{label} cannot be read",
            where=named_at,
            found=error.strerror,
            hint="paths are relative to the file that names them",
        ) from error
    except (UnicodeError, LookupError) as error:
        raise SpecError(
            f"{label} is not text", where=named_at, found=str(error), expected="UTF-8"
        ) from error


def decode(data: bytes) -> str:
    """Decode bytes: by byte order mark, else by PEP 263 comment, else as UTF-8."""
    for mark, coding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(coding)
    for line in data.split(b"\n")[:2]:
        if line[:1] == b"#" and (declared := _CODING.search(line)):
            return data.decode(declared[1].decode("ascii"))
    return data.decode("utf-8")


def lines(text: str, label: str, environment: Mapping[str, str] | None = None) -> Iterator[Line]:
    """Yield the logical lines of a file. Raises ``SpecError`` for unterminated quotes."""
    for number, logical in numbered(text):
        if line := read_line(logical, Where(label, number), environment):
            yield line


def read_line(
    logical: str, where: Where, environment: Mapping[str, str] | None = None
) -> Line | None:
    """Return a logical line; None for a blank one or a comment. Raises ``SpecError``."""
    return _line(logical, where, os.environ if environment is None else environment)


def single(text: str, where: Where, environment: Mapping[str, str] | None = None) -> Line:
    """Parse a single line of a spec's list. Raises ``SpecError``."""
    env = os.environ if environment is None else environment
    line = _line(" ".join(text.splitlines()), where, env)
    if line is None:
        raise SpecError("an empty requirement", where=where)
    return line


def _line(joined: str, where: Where, env: Mapping[str, str]) -> Line | None:
    bare = _COMMENT.sub("", joined).strip()
    if not bare:
        return None
    requirement, options = _split(bare, where)
    # Variables are expanded after splitting, so that a value with a space or '#' is one word.
    expanded = tuple(_expand(option, env, where) for option in options)
    return Line(where, _expand(requirement, env, where), expanded, bare)


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield logical lines, each with the number of its first physical line.

    Continued lines are joined; a comment line ends a continuation, as in pip.
    """
    first, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        comment = bool(re.match(r"^\s*#", line))
        first = first or number
        if line.endswith("\\") and not comment:
            parts.append(line[:-1])
            continue
        parts.append(f" {line}" if comment else line)
        yield first, "".join(parts)
        first, parts = 0, []
    if parts:
        yield first, "".join(parts)


def _split(line: str, where: Where) -> tuple[str, tuple[str, ...]]:
    """Split a line before its first option; options are split by shell rules."""
    start = _OPTION.search(line)
    if start is None:
        return line, ()
    try:
        words = shlex.split(line[start.start(1) :])
    except ValueError as error:
        raise SpecError(
            "options that cannot be read",
            where=where,
            found=str(error),
            hint="close the quotation marks; in a password they are written %22 and %27",
        ) from error
    return line[: start.start(1)].strip(), tuple(words)


def _expand(text: str, env: Mapping[str, str], where: Where) -> str:
    def value(match: re.Match[str]) -> str:
        if (found := env.get(match[1])) is None:
            raise SpecError(
                f"the environment variable {match[1]} is not set",
                where=where,
                hint=f"set it, or write its value in place of {match[0]}",
            )
        return found

    return fill_in(text, _VARIABLE, value)
