"""A small writer of ELF files: shared libraries with names and needs, and nothing to run."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

X86_64, AARCH64, I386 = 62, 183, 3
_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 5, 10, 14, 15, 29


@dataclass(frozen=True)
class Library:
    """What the file shall say of itself."""

    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: str = ""
    runpath: str = ""
    comment: tuple[str, ...] = ()
    constants: bytes = b""
    """What stands in ``.rodata``."""
    machine: int = X86_64
    wide: bool = True
    """64-bit."""
    order: str = "<"
    sections: bool = True
    """False: as ``strip --strip-section-headers`` leaves it."""


def elf(library: Library) -> bytes:
    """The file's bytes."""
    return _Writer(library).write()


def write_elf(path: Path, **fields: object) -> Path:
    """Write a library with the given fields; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(elf(Library(**fields)))  # type: ignore[arg-type]
    return path


class _Writer:
    def __init__(self, library: Library) -> None:
        self.lib = library
        self.strings = bytearray(b"\0")
        self.body = bytearray()
        self.head = 64 if library.wide else 52
        self.phent = 56 if library.wide else 32
        self.start = self.head + 2 * self.phent

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.lib.order + form, *values)

    def put(self, data: bytes) -> int:
        self.body += b"\0" * (-len(self.body) % 8)
        at = self.start + len(self.body)
        self.body += data
        return at

    def text(self, value: str) -> int:
        at = len(self.strings)
        self.strings += value.encode() + b"\0"
        return at

    def write(self) -> bytes:
        lib = self.lib
        word = "QQ" if lib.wide else "II"
        entries = [(_NEEDED, self.text(name)) for name in lib.needed]
        for tag, value in ((_SONAME, lib.soname), (_RPATH, lib.rpath), (_RUNPATH, lib.runpath)):
            entries += [(tag, self.text(value))] if value else []
        strtab = self.put(bytes(self.strings))
        entries += [(_STRTAB, strtab), (_STRSZ, len(self.strings)), (0, 0)]
        packed = b"".join(self.pack(word, *entry) for entry in entries)
        dynamic = self.put(packed)
        sections = self.sections() if lib.sections else (0, 0, 0)
        size = self.start + len(self.body)
        segments = self.segment(1, 0, size) + self.segment(2, dynamic, len(packed))
        return self.header(*sections) + segments + bytes(self.body)

    def segment(self, kind: int, offset: int, size: int) -> bytes:
        if self.lib.wide:
            return self.pack("IIQQQQQQ", kind, 5, offset, offset, offset, size, size, 8)
        return self.pack("IIIIIIII", kind, offset, offset, offset, size, size, 5, 4)

    def sections(self) -> tuple[int, int, int]:
        comment = b"".join(line.encode() + b"\0" for line in self.lib.comment)
        rows = [(0, 0, 0, 0)]
        names = b"\0"
        for name, data in ((".rodata", self.lib.constants), (".comment", comment)):
            rows.append((len(names), 1, self.put(data), len(data)))
            names += name.encode() + b"\0"
        rows.append((len(names), 3, 0, 0))
        names += b".shstrtab\0"
        at = self.put(names)
        rows[-1] = (rows[-1][0], 3, at, len(names))
        form = "IIQQQQIIQQ" if self.lib.wide else "IIIIIIIIII"
        table = b"".join(
            self.pack(form, name, kind, 0, 0, offset, size, 0, 0, 1, 0)
            for name, kind, offset, size in rows
        )
        return self.put(table), len(rows), len(rows) - 1

    def header(self, shoff: int, shnum: int, shstrndx: int) -> bytes:
        wide = self.lib.wide
        order = 1 if self.lib.order == "<" else 2
        ident = b"\x7fELF" + bytes([2 if wide else 1, order, 1, 0]) + b"\0" * 8
        shent = 64 if wide else 40
        form = "HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"
        return ident + self.pack(
            form, 3, self.lib.machine, 1, 0, self.head, shoff, 0, self.head,
            self.phent, 2, shent, shnum, shstrndx,
        )  # fmt: skip
