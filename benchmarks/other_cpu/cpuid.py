"""What a CPU says of itself, as the files in which a kernel tells it.

`qemu-user` gives programs the instructions of another CPU and the `/proc/cpuinfo` of this one: a
numerics class that is read there would be this CPU's. So the emulated one is asked, by the
instruction, and its answers are laid over those files.

https://www.intel.com/content/www/us/en/developer/articles/technical/intel-sdm.html, volume 2,
"CPUID"; https://docs.amd.com/v/u/en-US/24594_3.37, appendix E.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ASK = """
import ctypes, json, mmap
CPUID = "4989d0 53 89f8 89f1 0fa2 418900 41895804 41894808 4189500c 5b c3"
RSQRT = "0f1007 0f52c0 0f1107 c3"
pages = []
def function(code, *arguments):
    pages.append(mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC))
    pages[-1].write(bytes.fromhex(code))
    place = ctypes.addressof(ctypes.c_char.from_buffer(pages[-1]))
    return ctypes.CFUNCTYPE(None, *arguments)(place)
ask = function(CPUID, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p)
reciprocal = function(RSQRT, ctypes.c_void_p)
def answer(leaf, index=0):
    found = (ctypes.c_uint * 4)()
    ask(leaf, index, found)
    return list(found)
leaves = [(leaf, 0) for leaf in (0, 1, 7, 0x80000000, 0x80000001, 0x80000005, 0x80000006)]
leaves += [(leaf, 0) for leaf in (0x80000002, 0x80000003, 0x80000004)]
leaves += [(4, index) for index in range(5)]
def error(value):
    four = (ctypes.c_float * 4)(*[value] * 4)
    reciprocal(four)
    return abs(four[0] * value**0.5 - 1)
worst = max(error(1 + step * 3 / 4096) for step in range(4096))
answers = [[leaf, index, answer(leaf, index)] for leaf, index in leaves]
print(json.dumps({"answers": answers, "rsqrtps": worst}))
"""
"""Run in the image by its Python, which has no other way to ask: a few bytes of machine code.

`mov r8, rdx; push rbx; mov eax, edi; mov ecx, esi; cpuid`, the four registers into `[r8]`,
`pop rbx; ret`. And `movups xmm0, [rdi]; rsqrtps xmm0, xmm0; movups [rdi], xmm0; ret`: CPUs give
one over a square root to some 12 bits, each maker other ones.
"""

Answers = dict[tuple[int, int], tuple[int, int, int, int]]
EAX, EBX, ECX, EDX = range(4)
_FLAGS = {
    "ssse3": (1, ECX, 9), "fma": (1, ECX, 12), "cx16": (1, ECX, 13), "sse4_1": (1, ECX, 19),
    "sse4_2": (1, ECX, 20), "movbe": (1, ECX, 22), "popcnt": (1, ECX, 23), "xsave": (1, ECX, 26),
    "avx": (1, ECX, 28), "f16c": (1, ECX, 29), "bmi1": (7, EBX, 3), "avx2": (7, EBX, 5),
    "bmi2": (7, EBX, 8), "avx512f": (7, EBX, 16), "avx512dq": (7, EBX, 17),
    "avx512cd": (7, EBX, 28), "avx512bw": (7, EBX, 30), "avx512vl": (7, EBX, 31),
    "lahf_lm": (0x80000001, ECX, 0), "abm": (0x80000001, ECX, 5),
}  # fmt: skip
"""Those flags of /proc/cpuinfo that decide a level: leaf, register and bit."""
_KINDS = {1: "Data", 2: "Instruction", 3: "Unified"}


@dataclass(frozen=True)
class Cpu:
    """A CPU, by what it answers."""

    vendor: str
    name: str
    flags: tuple[str, ...]
    caches: tuple[tuple[int, str, int], ...]
    """Level, kind and KiB of each."""
    rsqrtps: float = 0.0
    """The greatest relative error of what it gives for one over a square root, from 1 to 4."""


def ask(command: Sequence[str]) -> Cpu:
    """Return the CPU that a Python has, which the command starts."""
    done = subprocess.run([*command, "-c", ASK], check=True, capture_output=True)
    found = json.loads(done.stdout)
    answers = {(leaf, index): tuple(answer) for leaf, index, answer in found["answers"]}
    return replace(read(answers), rsqrtps=found["rsqrtps"])


def read(answers: Answers) -> Cpu:
    """Return what answers say, by leaf and index."""
    first = answers[0, 0]
    vendor = _text(first[EBX], first[EDX], first[ECX])
    name = _text(*(word for leaf in range(0x80000002, 0x80000005) for word in answers[leaf, 0]))
    flags = [flag for flag, (leaf, at, bit) in _FLAGS.items() if answers[leaf, 0][at] >> bit & 1]
    caches = _amd(answers) if vendor == "AuthenticAMD" else _intel(answers)
    return Cpu(vendor, name, tuple(sorted(flags)), caches)


def _text(*words: int) -> str:
    raw = b"".join(word.to_bytes(4, "little") for word in words)
    return raw.replace(b"\0", b"").decode("ascii", "replace").strip()


def _intel(answers: Answers) -> tuple[tuple[int, str, int], ...]:
    """Return the caches by leaf 4: ways, partitions, bytes of a line and sets, each less one."""
    found = []
    for index in range(5):
        eax, ebx, ecx, _ = answers[4, index]
        if eax & 31 in _KINDS:
            ways, partitions, line = (ebx >> 22) + 1, (ebx >> 12 & 1023) + 1, (ebx & 4095) + 1
            size = ways * partitions * line * (ecx + 1) >> 10
            found.append((eax >> 5 & 7, _KINDS[eax & 31], size))
    return tuple(found)


def _amd(answers: Answers) -> tuple[tuple[int, str, int], ...]:
    """Return the caches by the leaves 80000005 and 80000006: KiB, and halves of MiB."""
    near, far = answers[0x80000005, 0], answers[0x80000006, 0]
    sizes = ((1, "Data", near[ECX] >> 24), (1, "Instruction", near[EDX] >> 24),
             (2, "Unified", far[ECX] >> 16), (3, "Unified", (far[EDX] >> 18) * 512))  # fmt: skip
    return tuple(one for one in sizes if one[2])


def write(cpu: Cpu, cpuinfo: str, folder: Path) -> tuple[Path, Path]:
    """Write what a kernel would tell of a CPU: its ``/proc/cpuinfo``, and its folder of caches.

    ``cpuinfo`` is this host's, of which the rest is kept: how many there are, and their numbers.
    """
    folder.mkdir(parents=True)
    told = {"vendor_id": cpu.vendor, "model name": cpu.name, "flags": " ".join(cpu.flags)}
    cpuinfo = re.sub(
        rf"(?m)^({'|'.join(told)})(\s*: ).*$",
        lambda found: found[1] + found[2] + told[found[1]],
        cpuinfo,
    )
    (folder / "cpuinfo").write_text(cpuinfo)
    for number, (level, kind, size) in enumerate(cpu.caches):
        place = folder / "cache" / f"index{number}"
        place.mkdir(parents=True)
        for name, value in (("level", str(level)), ("type", kind), ("size", f"{size}K")):
            (place / name).write_text(f"{value}\n")
    return folder / "cpuinfo", folder / "cache"
