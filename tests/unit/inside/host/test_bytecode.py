"""Byte code: the same source gives the same bytes, whatever was compiled beside it."""

from __future__ import annotations

import importlib
import json
import marshal
import py_compile
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from freezer.inside import inside_digest, inside_files

SCRIPT = Path(__file__).parents[4] / "freezer/inside/freezer_inside/bytecode.py"
MODULES = ["argparse", "ast", "dataclasses", "typing", "enum", "inspect", "tarfile", "zipfile"]
PYTHON = [sys.executable, "-I", "-S", "-B", str(SCRIPT)]

Files = Mapping[str, bytes]


def lay(folder: Path, *batches: Files) -> Path:
    """Write what the compiler reads."""
    folder.mkdir()
    plan = [[[path, len(data)] for path, data in files.items()] for files in batches]
    (folder / "plan.json").write_text(json.dumps(plan))
    sources = b"".join(data for files in batches for data in files.values())
    (folder / "sources").write_bytes(sources)
    return folder


def run(folder: Path, *before: str) -> dict[str, object]:
    command = [*before, *PYTHON, str(folder)]
    done = subprocess.run(command, capture_output=True, check=True)
    result: dict[str, object] = json.loads(done.stdout)
    return result


def outcomes(folder: Path, number: int) -> list[bytes | None]:
    data, found = (folder / "out" / f"{number:05}").read_bytes(), list[bytes | None]()
    while data:
        (length,) = struct.unpack("<q", data[:8])
        found.append(data[8 : 8 + length] if length >= 0 else None)
        data = data[8 + max(length, 0) :]
    return found


def modules(*names: str) -> dict[str, bytes]:
    files = {name: importlib.import_module(name).__file__ or "" for name in names}
    return {f"/opt/env/{name}.py": Path(file).read_bytes() for name, file in files.items()}


@pytest.mark.process
def test_neighbours_and_order_do_not_matter(tmp_path: Path) -> None:
    every = lay(tmp_path / "all", modules(*MODULES))
    assert run(every) == {"compiled": len(MODULES), "failed": []}
    together = dict(zip(MODULES, outcomes(every, 0), strict=True))
    for number, name in enumerate(reversed(MODULES)):
        alone = lay(tmp_path / f"alone{number}", modules("abc"), modules(name))
        run(alone)
        assert outcomes(alone, 1) == [together[name]]


@pytest.mark.process
def test_a_file_that_kills_the_compiler_takes_no_other_with_it(tmp_path: Path) -> None:
    # The parser is recursive: a child with a small stack does not survive this.
    deep = {"/opt/env/deep.py": b"(" * 150 + b")" * 150 + b"\n"}
    folder = lay(tmp_path / "some", modules(*MODULES[:4]) | deep | modules(*MODULES[4:]))
    result = run(folder, "bash", "-c", 'ulimit -s 136; exec "$@"', "-")
    assert result == {"compiled": len(MODULES), "failed": ["/opt/env/deep.py"]}
    made = outcomes(folder, 0)
    assert made.index(None) == 4
    assert len([one for one in made if one]) == len(MODULES)
    assert [path.name for path in (folder / "out").iterdir()] == ["00000"]


@pytest.mark.process
def test_byte_code_names_the_place_in_the_image_and_is_valid_by_hash(tmp_path: Path) -> None:
    folder = lay(tmp_path / "one", modules("enum"))
    assert run(folder) == {"compiled": 1, "failed": []}
    (data,) = outcomes(folder, 0)
    assert data is not None
    assert marshal.loads(data[16:]).co_filename == "/opt/env/enum.py"
    written = py_compile.compile(
        importlib.import_module("enum").__file__ or "",
        cfile=str(tmp_path / "enum.pyc"),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    assert data[:16] == Path(written or "").read_bytes()[:16]


@pytest.mark.process
def test_files_that_do_not_compile_are_listed(tmp_path: Path) -> None:
    files = {
        "/opt/env/old.py": b"print 'python 2'\n",
        "/opt/env/null.py": b"a = 1\0",
        "/opt/env/latin.py": b"# coding: nope\n",
        "/opt/env/good.py": b"a = '\\d'\n",
        "/opt/env/empty.py": b"",
    }
    folder = lay(tmp_path / "some", files)
    result = run(folder)
    assert result["compiled"] == 2
    assert result["failed"] == ["/opt/env/latin.py", "/opt/env/null.py", "/opt/env/old.py"]
    assert [one is not None for one in outcomes(folder, 0)] == [False, False, False, True, True]


def test_the_digest_covers_every_file() -> None:
    version, sha256 = inside_digest()
    assert version
    assert len(sha256) == 64
    assert "freezer_inside/bytecode.py" in inside_files()
    assert all(path.endswith(".py") for path in inside_files())
