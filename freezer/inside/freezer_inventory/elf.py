"""Reading ELF files: names, needs and search paths from the dynamic section, and no more.

Files are hostile until proven otherwise: every offset is checked, every count has a limit, and a
file that is not whole is no ELF file. Layout: System V gABI, chapters 4 and 5.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

_DYNAMIC, _LOAD = 2, 1
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
_PROGBITS = 1
_MAX_HEADERS = 4096
"""Program headers and sections that are looked at; real files have some dozens."""
_MAX_ENTRIES = 4096
"""Entries of a dynamic section; the largest known have some hundreds."""
_MAX_TEXT = 4096
"""Bytes of a name."""
_MAX_COMMENT = 1 << 16


class Elf(NamedTuple):
    """What a shared library or program says of itself."""

    machine: int
    soname: str
    needed: Tuple[str, ...]
    rpath: Tuple[str, ...]
    runpath: Tuple[str, ...]
    compilers: Tuple[str, ...]
    """From ``.comment``: ``GCC: (Debian 12.2.0-14) 12.2.0``."""
    constants: Tuple[int, int]
    """Where in the file ``.rodata`` begins and ends; (0, 0) where there is none."""


class _Layout(NamedTuple):
    """Where fields lie in 32-bit and 64-bit files, and how they are packed."""

    order: str
    wide: bool

    def unpack(self, form: str, data: mmap.mmap, at: int) -> Tuple[int, ...]:
        packed = struct.Struct(self.order + form)
        if at < 0 or at + packed.size > len(data):
            raise ValueError("outside the file")
        return packed.unpack_from(data, at)


def read_elf(path: str) -> Optional[Elf]:
    """Return what an ELF file says of itself; None for other files and broken ones."""
    try:
        with open(path, "rb") as stream:
            if stream.read(4) != b"\x7fELF" or os.fstat(stream.fileno()).st_size < 52:
                return None
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _parse(data)
    except (OSError, ValueError, struct.error):
        return None


def _parse(data: mmap.mmap) -> Elf:
    if data[4] not in (1, 2) or data[5] not in (1, 2):
        raise ValueError("no class or byte order of ELF")
    layout = _Layout("<" if data[5] == 1 else ">", data[4] == 2)
    (machine,) = layout.unpack("H", data, 18)
    form = "QQIHHHHHH" if layout.wide else "IIIHHHHHH"
    header = layout.unpack(form, data, 32 if layout.wide else 28)
    segments = list(_segments(layout, data, header[0], header[4], header[5]))
    entries = list(_dynamic(layout, data, segments))
    table = next((value for tag, value in entries if tag == _STRTAB), None)
    strings = None if table is None else _offset(segments, table)

    def texts(tag: int) -> List[str]:
        if strings is None:
            return []
        return [_text(data, strings + value) for found, value in entries if found == tag]

    sections = _sections(layout, data, header[1], header[6], header[7], header[8])
    return Elf(
        machine,
        (texts(_SONAME) or [""])[0],
        tuple(dict.fromkeys(texts(_NEEDED))),
        _paths(texts(_RPATH)),
        _paths(texts(_RUNPATH)),
        tuple(_compilers(data, *sections.get(".comment", (0, 0)))),
        sections.get(".rodata", (0, 0)),
    )


def _segments(
    layout: _Layout, data: mmap.mmap, start: int, size: int, count: int
) -> Iterator[Tuple[int, int, int, int]]:
    """Yield type, file offset, virtual address and bytes in the file of each segment."""
    for number in range(min(count, _MAX_HEADERS)):
        at = start + number * size
        if layout.wide:
            kind, _, offset, address, _, length = layout.unpack("IIQQQQ", data, at)
        else:
            kind, offset, address, _, length = layout.unpack("IIIII", data, at)
        yield kind, offset, address, length


def _dynamic(
    layout: _Layout, data: mmap.mmap, segments: List[Tuple[int, int, int, int]]
) -> Iterator[Tuple[int, int]]:
    """Yield tag and value of the dynamic section, up to its end."""
    form, size = ("QQ", 16) if layout.wide else ("II", 8)
    for kind, offset, _, length in segments:
        if kind != _DYNAMIC:
            continue
        for number in range(min(length // size, _MAX_ENTRIES)):
            tag, value = layout.unpack(form, data, offset + number * size)
            if tag == 0:
                return
            yield tag, value
        return


def _offset(segments: List[Tuple[int, int, int, int]], address: int) -> Optional[int]:
    """Return where in the file a virtual address lies."""
    for kind, offset, start, length in segments:
        if kind == _LOAD and start <= address < start + length:
            return offset + address - start
    return None


def _text(data: mmap.mmap, at: int) -> str:
    if not 0 <= at < len(data):
        raise ValueError("a name outside the file")
    end = data.find(b"\0", at, at + _MAX_TEXT)
    if end < 0:
        raise ValueError("a name without end")
    return data[at:end].decode("utf-8", "replace")


def _paths(texts: List[str]) -> Tuple[str, ...]:
    return tuple(path for text in texts for path in text.split(":") if path)


def _sections(
    layout: _Layout, data: mmap.mmap, start: int, size: int, count: int, names: int
) -> Dict[str, Tuple[int, int]]:
    """Return where sections of bytes lie, by name; none where they were stripped or are broken."""
    if not start or names >= min(count, _MAX_HEADERS):
        return {}
    try:
        table = _section(layout, data, start + names * size)[2]
        found = (
            _section(layout, data, start + number * size)
            for number in range(min(count, _MAX_HEADERS))
        )
        return {
            _text(data, table + name): (offset, offset + length)
            for name, kind, offset, length in found
            if kind == _PROGBITS
        }
    except ValueError:
        return {}


def _compilers(data: mmap.mmap, start: int, end: int) -> Iterator[str]:
    """Yield the lines of ``.comment``, each once, fit to be shown."""
    text = data[start : min(end, start + _MAX_COMMENT)].decode("utf-8", "replace")
    for line in dict.fromkeys(text.split("\0")):
        clean = "".join(sign if sign.isprintable() else " " for sign in line).strip()[:200]
        if clean:
            yield clean


def _section(layout: _Layout, data: mmap.mmap, at: int) -> Tuple[int, int, int, int]:
    """Return name (offset in the table of names), type, file offset and bytes of a section."""
    if layout.wide:
        name, kind, _, _, offset, length = layout.unpack("IIQQQQ", data, at)
    else:
        name, kind, _, _, offset, length = layout.unpack("IIIIII", data, at)
    return name, kind, offset, length
