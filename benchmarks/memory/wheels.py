"""Wheels of any size, made in blocks: half of each file is random, half are zeros."""

from __future__ import annotations

import base64
import hashlib
import random
import zipfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK: Final = 1 << 20


def make_wheel(folder: Path, name: str, megabytes: int, scripts: int = 0) -> Path:
    """Write a wheel with one large file of data, and a module; return its path.

    ``scripts``: the megabytes of a program that is installed as a script.

    The random half is the same for the same name, so that a second run finds the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    texts = {
        f"{name}/__init__.py": f'"""Has {megabytes} MB of data."""\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        for member, blocks in [
            (f"{name}/data.bin", _blocks(name, megabytes)),
            *([(f"{name}-1.0.data/scripts/{name}", _blocks(name, scripts))] if scripts else []),
            *((member, [text.encode()]) for member, text in texts.items()),
        ]:
            digest, size = hashlib.sha256(), 0
            with wheel.open(zipfile.ZipInfo(member), "w", force_zip64=True) as stream:
                for block in blocks:
                    stream.write(block)
                    digest.update(block)
                    size += len(block)
            encoded = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
            rows.append(f"{member},sha256={encoded},{size}")
        rows.append(f"{info}/RECORD,,")
        wheel.writestr(f"{info}/RECORD", "\n".join([*rows, ""]))
    return path


def _blocks(name: str, megabytes: int) -> Iterator[bytes]:
    chance = random.Random(name)
    for number in range(megabytes):
        yield chance.randbytes(_BLOCK) if number % 2 else bytes(_BLOCK)
