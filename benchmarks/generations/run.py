"""Ten generations of one environment, each with one small change: what they take, on disk and sent.

An image's bytes are those of its layers, unpacked, as the engine counts them; a registry's are the
files that Debian's ``docker-registry`` keeps. Both as a ratio to the first generation alone.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import yaml

from benchmarks.image.run import AS_OF, freeze
from freezer import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
NAME = "freezer-generations"
PACKAGES = ["numpy", "scipy", "scikit-learn", "pandas", "matplotlib"]
VERSIONS = "3.12.4 3.13.4 3.14.0 3.15.4 3.16.1 3.17.0 3.18.0 3.20.0 3.21.0 3.22.0"
CHANGES = [f"filelock=={version}" for version in VERSIONS.split()]
"""One light package moves in each generation."""


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run a registry with its files below a folder; give its ``host:port``."""
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        sys.exit("no registry: `scripts/engine.sh --with-test-tools` installs one")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
    }
    (folder / "settings.yml").write_text(yaml.safe_dump(settings))
    command = [program, "serve", str(folder / "settings.yml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        yield address
    finally:
        process.terminate()
        process.wait()


def used(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def generation(project: Path, store: Path, change: str) -> float:
    """Lock and build the environment with one more small change; return the seconds of building."""
    spec = {
        "name": NAME,
        "base": {"bootstrap": "bookworm"},
        "python": "3.11",
        "pip": [*PACKAGES, change],
        "as-of": AS_OF,
        "smoke": {"command": ["true"]},
    }
    (project / "freeze.yaml").write_text(yaml.safe_dump(spec))
    freeze(project, store, "lock")
    return freeze(project, store, "build")[0]


def row(seconds: float, engine: int, stored: int, first: tuple[int, int]) -> str:
    cells = [
        f"{seconds:.1f} s",
        f"{engine / 1e6:.1f} MB ({engine / first[0]:.3f}x)",
        f"{stored / 1e6:.1f} MB ({stored / first[1]:.3f}x)",
    ]
    return " | ".join(cells)


def measure(work: Path) -> list[tuple[float, int, int]]:
    project, store = work / "project", work / "store"
    project.mkdir()
    rows: list[tuple[float, int, int]] = []
    listed: dict[str, Any] = {"images": []}
    with registry(work) as address:
        for number, change in enumerate(CHANGES, start=1):
            seconds = generation(project, store, change)
            freeze(project, store, "push", f"{address}/generations:{number}")
            listed = json.loads(freeze(project, store, "images", NAME, "--json")[1])
            if len(listed["images"]) != number:
                sys.exit(f"{len(listed['images'])} images of {NAME}; remove those of another run")
            rows.append((seconds, listed["bytes"], used(work / "data")))
            print(f"  {number}: {row(*rows[-1], rows[0][1:])}", flush=True)
        for image in listed["images"]:
            subprocess.run(
                ["docker", "image", "rm", *image["tags"]], check=False, capture_output=True
            )
    return rows


def report(rows: list[tuple[float, int, int]]) -> str:
    with closing(docker.APIClient()) as api:
        engine = api.version()["Version"]
    said = (
        f"{datetime.now(UTC):%Y-%m-%d}, Freezer {__version__}, Docker {engine}, Debian's "
        f"docker-registry, {os.cpu_count()} CPUs. {', '.join(PACKAGES)}, and filelock, which moves "
        "in every generation. Bytes of all generations so far together; in brackets, how many "
        "times the first alone. The engine's are unpacked layers, the registry's compressed ones."
    )
    lines = [
        "# Ten generations of one environment",
        "",
        said,
        "",
        "| generation | build | in the engine | in a registry |",
        "| --- | --- | --- | --- |",
        *(f"| {n} | {row(*item, rows[0][1:])} |" for n, item in enumerate(rows, start=1)),
        "",
        "The first build includes fetching. Run it: `python -m benchmarks generations`.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="freezer-generations-") as temporary:
        text = report(measure(Path(temporary)))
    (HERE / "RESULTS.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
