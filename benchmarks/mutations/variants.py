"""Environments with one thing in another version: locked, built, run once, and removed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.mutations.container import Told, run
from freezer.image.layout import FREEZER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.mutations.catalogue import Variant
    from freezer.engine.interface import Engine

ROOT = Path(__file__).parents[2]
BLAS = """name: {name}
base: {{bootstrap: bookworm}}
python: "3.11"
system: [python3-numpy, libopenblas0-pthread, libblas3, liblapack3]
as-of: 2026-11-23T00:00:00Z
smoke: {{command: ["true"], cpus: 2, memory: 2g}}
"""
NETLIB = "/usr/lib/x86_64-linux-gnu/{0}/lib{0}.so.3"


@contextmanager
def _built(engine: Engine, name: str, spec: str, scratch: Path) -> Iterator[str]:
    folder = scratch / name
    (folder / "images" / name).mkdir(parents=True)
    (folder / "images" / name / "freeze.yaml").write_text(spec)
    for verb in ("lock", "build"):
        command = [sys.executable, "-m", "freezer", "--quiet", verb, name]
        subprocess.run(command, cwd=folder, check=True)
    image = engine.image(f"{name}:latest")
    assert image is not None
    try:
        yield image.id
    finally:
        for tag in image.tags:
            engine.remove_image(tag)


def told_by(engine: Engine, variant: Variant, instead: str, scratch: Path) -> Told:
    """Return what a training told in an environment with a package in a version of its own."""
    text = (ROOT / "images" / variant.environment / "freeze.yaml").read_text()
    assert variant.replaced[0] in text, variant.replaced[0]
    name = f"freezer-bench-{variant.training}-variant"
    spec = text.replace(f"name: {variant.environment}\n", f"name: {name}\n")
    folder = Path(tempfile.mkdtemp(dir=scratch))
    with _built(engine, name, spec.replace(variant.replaced[0], instead), folder) as image:
        [told] = run(engine, image, variant.training, [("", {})])
    return told


def other_blas(engine: Engine, scratch: Path) -> tuple[Told, Told]:
    """Return what NumPy's training told with Debian's OpenBLAS, and with netlib's BLAS.

    One image, one NumPy; which BLAS is loaded is decided by what is loaded first.
    """
    name = "freezer-bench-blas"
    netlib = ":".join(NETLIB.format(library) for library in ("blas", "lapack"))
    python = "/usr/bin/python3"
    with _built(engine, name, BLAS.format(name=name), scratch) as image:
        plan = [("", {}), ("", {"LD_PRELOAD": netlib})]
        expected, found = run(engine, image, "numpy", plan, python, PYTHONPATH=FREEZER)
    return expected, found
