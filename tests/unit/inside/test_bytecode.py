"""Byte code: the same source gives the same bytes, whatever was compiled beside it."""

from __future__ import annotations

import json
import marshal
import subprocess
import sys
from pathlib import Path

from freezer.inside import inside_digest, inside_files

SCRIPT = Path(__file__).parents[3] / "freezer/inside/freezer_inside/bytecode.py"
MODULES = ["argparse", "ast", "dataclasses", "typing", "enum", "inspect", "tarfile", "zipfile"]


def run(source: Path, out: Path) -> dict[str, object]:
    out.mkdir()
    command = [sys.executable, "-I", "-S", "-B", str(SCRIPT), str(source), str(out)]
    done = subprocess.run(command, capture_output=True, check=True)
    result: dict[str, object] = json.loads(done.stdout)
    return result


def tree(out: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(out.rglob("*.pyc"))}


def lay(root: Path, names: list[str], package: str) -> None:
    for name in names:
        origin = sys.modules[name].__file__ if name in sys.modules else None
        text = Path(origin or __import__(name).__file__).read_bytes()
        target = root / package / "opt/env" / f"{name}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)


def test_neighbours_and_order_do_not_matter(tmp_path: Path) -> None:
    lay(tmp_path / "all", MODULES, "00000")
    run(tmp_path / "all", tmp_path / "together")
    together = tree(tmp_path / "together")
    assert len(together) == len(MODULES)
    for number, name in enumerate(reversed(MODULES)):
        lay(tmp_path / f"one{number}", [name], "00000")
        run(tmp_path / f"one{number}", tmp_path / f"alone{number}")
        for file, data in tree(tmp_path / f"alone{number}").items():
            assert together[file] == data


def test_a_file_that_kills_the_compiler_takes_no_other_with_it(tmp_path: Path) -> None:
    lay(tmp_path / "source", MODULES, "00000")
    folder = tmp_path / "source/00000/opt/env"
    # The parser is recursive: a child with a small stack does not survive this.
    (folder / "deep.py").write_text("(" * 150 + ")" * 150 + "\n")
    (tmp_path / "out").mkdir()
    limited = ["bash", "-c", 'ulimit -s 136; exec "$@"', "-", sys.executable, "-I", "-S", "-B"]
    done = subprocess.run(
        [*limited, str(SCRIPT), str(tmp_path / "source"), str(tmp_path / "out")],
        capture_output=True,
        check=True,
    )
    result = {"compiled": len(MODULES), "failed": ["/opt/env/deep.py"]}
    assert json.loads(done.stdout) == result


def test_byte_code_names_the_place_in_the_image_and_is_valid_by_hash(tmp_path: Path) -> None:
    lay(tmp_path / "source", ["enum"], "00007")
    assert run(tmp_path / "source", tmp_path / "out") == {"compiled": 1, "failed": []}
    (file,) = (tmp_path / "out").rglob("*.pyc")
    assert file.parent == tmp_path / "out/00007/opt/env/__pycache__"
    data = file.read_bytes()
    assert data[4:8] == b"\x01\0\0\0"
    assert marshal.loads(data[16:]).co_filename == "/opt/env/enum.py"


def test_files_that_do_not_compile_are_listed(tmp_path: Path) -> None:
    folder = tmp_path / "source/00000/opt/env"
    folder.mkdir(parents=True)
    (folder / "old.py").write_text("print 'python 2'\n")
    (folder / "null.py").write_bytes(b"a = 1\0")
    (folder / "latin.py").write_bytes(b"# coding: nope\n")
    (folder / "good.py").write_text("a = 1\n")
    result = run(tmp_path / "source", tmp_path / "out")
    assert result["compiled"] == 1
    assert result["failed"] == ["/opt/env/latin.py", "/opt/env/null.py", "/opt/env/old.py"]
    assert not (tmp_path / "out" / "warm.pyc").exists()


def test_the_digest_covers_every_file() -> None:
    version, sha256 = inside_digest()
    assert version
    assert len(sha256) == 64
    assert "freezer_inside/bytecode.py" in inside_files()
    assert all(path.endswith(".py") for path in inside_files())
