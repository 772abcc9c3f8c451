"""Replaces the build prefix in a conda package's files by the environment's prefix.

As in conda and rattler: in text files every occurrence; in binary files every C string that
contains one, shortened and padded with zeros so that nothing moves. Both look for the placeholder
in UTF-8, UTF-16 and UTF-32.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_SHEBANG: Final = 127
"""Maximum bytes of a script's first line on Linux, without the line feed (``execve(2)``)."""
_WIDE = (("utf-16-le", 2), ("utf-16-be", 2), ("utf-32-le", 4), ("utf-32-be", 4))
_SHEBANG = re.compile(rb"#! *(/(?:\\ |[^ \n\r\t])*)(.*)", re.DOTALL)
_PYTHON = re.compile(rb"python(?:\d+(?:\.\d+)?)?\Z")


def in_text(data: bytes, placeholder: str, prefix: str) -> bytes:
    """Return a text file with the placeholder replaced, and a first line that Linux can run.

    A script whose first line is too long is started through ``/bin/sh`` (Python) or
    ``/usr/bin/env`` (all others).
    """
    first, newline, rest = data.partition(b"\n") if data.startswith(b"#!") else (b"", b"", data)
    first = runnable(_replaced(first, placeholder, prefix))
    return first + newline + _replaced(rest, placeholder, prefix)


def in_binary(data: bytes, placeholder: str, prefix: str) -> bytes:
    """Return a binary file of the same length with the placeholder replaced in its strings.

    Raises ``ValueError`` when the prefix is longer than the placeholder.
    """
    if len(prefix.encode()) > len(placeholder.encode()):
        msg = f"{prefix!r} is longer than the prefix that it was built at"
        raise ValueError(msg)
    found = _in_strings(data, placeholder.encode(), prefix.encode(), 1)
    for encoding, unit in _WIDE:
        old, new = placeholder.encode(encoding), prefix.encode(encoding)
        found = _in_strings(found, old, new, unit)
    return found


def runnable(line: bytes) -> bytes:
    """Return a script's first line, or a replacement for one that Linux would truncate."""
    match = _SHEBANG.fullmatch(line)
    if len(line) <= LONGEST_SHEBANG or match is None:
        return line
    path, rest = match[1], match[2]
    name = path.rpartition(b"/")[2]
    if _PYTHON.match(name):
        return b"#!/bin/sh\n'''exec' \"%b\"%b \"$0\" \"$@\" #'''" % (path, rest)
    return b"#!/usr/bin/env %b%b" % (name, rest)


def _replaced(data: bytes, placeholder: str, prefix: str) -> bytes:
    data = data.replace(placeholder.encode(), prefix.encode())
    for encoding, _ in _WIDE:
        data = data.replace(placeholder.encode(encoding), prefix.encode(encoding))
    return data


def _in_strings(data: bytes, old: bytes, new: bytes, unit: int) -> bytes:
    """Replace in strings of ``unit`` bytes per character, aligned as compilers align them.

    A placeholder's bytes in one byte order are, shifted by one byte, those in the other.
    """
    if old not in data:
        return data
    found, start = bytearray(data), 0
    while (start := data.find(old, start)) >= 0:
        if start % unit:
            start += 1
            continue
        end = _string_end(data, start + len(old), unit)
        found[start:end] = data[start:end].replace(old, new).ljust(end - start, b"\0")
        start = end
    return bytes(found)


def _string_end(data: bytes, start: int, unit: int) -> int:
    """Return the offset of the zero character after ``start``, or the end of the data."""
    zero = bytes(unit)
    end = data.find(zero, start)
    while end >= 0 and (end - start) % unit:
        end = data.find(zero, end + 1)
    return end if end >= 0 else len(data)
