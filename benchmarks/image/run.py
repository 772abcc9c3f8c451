"""``freeze build`` beside three Dockerfiles that do the same: cold, unchanged, and on a change.

All start from one image (base, Python, pip and uv) and from wheels that are on this machine; none
has a network, all compile byte code. Freezer's times hold verification and canonical form. The
quick columns are the best of two or three runs, each with another small change; cold and heavy are
one run. Nothing is removed from the disk before the end: ext4 takes long to make files where many
were removed a moment ago, which would be counted against whoever comes next.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import yaml

from benchmarks.image.bounds import measure
from benchmarks.image.report import Row, bounded, report
from freezer.ecosystems import lock_artifacts
from freezer.engine.connect.connect import connect
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.model.lockfile import parse_lock

if TYPE_CHECKING:
    from freezer.engine.interface import Engine
    from freezer.model.lock import Lock

HERE = Path(__file__).parent
PACKAGES = ["numpy", "scipy", "scikit-learn", "pandas", "torch==2.13.0+cpu", "python-dateutil"]
SMALL = ["filelock<3.20", "typing-extensions<4.15"]
HEAVY = "scipy<1.17"
TOOLS = "freezer-bench-tools"
AS_OF = "2026-11-23T00:00:00Z"
MADE = (
    *("bytecode", "chunk", "compiled-modules", "inventory-*", "layer", "verified-image"),
    "verified-layer",
)
MADE_HERE: set[str] = set()
"""IDs of the images that the other ways made."""
HEAD = f"FROM {TOOLS}:latest\nUSER 0:0\n"
PIP = "/opt/env/bin/pip install --no-index --no-cache-dir --find-links /wheels -r /requirements.txt"
UV = (
    "/opt/env/bin/uv pip install --python /opt/env/bin/python --no-index --find-links /wheels "
    "--compile-bytecode --link-mode copy"
)
MOUNTS = (
    "RUN --mount=type=bind,source=wheels{},target=/wheels --mount=type=cache,target=/root/.cache/uv"
)
ALL, EACH = MOUNTS.format(""), MOUNTS.format("/{0}")
"""A step is done again when anything that it mounts is another: mount what it needs, no more."""
WEIGHTS = ("heavy", "middle", "light")
WAYS = {
    "plain Dockerfile, COPY and pip": (
        f"{HEAD}COPY requirements.txt /\nCOPY wheels /wheels\nRUN {PIP}\n"
    ),
    "uv, bind and cache mounts": (
        f"{HEAD}COPY requirements.txt /\n{ALL} {UV} -r /requirements.txt\n"
    ),
    "uv, a RUN for each weight": (
        HEAD
        + "".join(
            f"COPY {weight}.txt /\n{EACH.format(weight)} {UV} --no-deps -r /{weight}.txt\n"
            for weight in WEIGHTS
        )
    ),
}


def freeze(project: Path, store: Path, *arguments: str) -> tuple[float, str]:
    environment = {**os.environ, "FREEZER_STORE": str(store)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "freezer", "-C", str(project), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"freeze {' '.join(arguments)}: {done.stderr}")
    return time.monotonic() - started, done.stdout


def project(folder: Path, name: str, pip: list[str], store: Path, old: Path | None = None) -> Lock:
    """Write and lock a project; ``old`` is the lock folder whose versions are kept."""
    folder.mkdir(parents=True)
    if old is not None:
        shutil.copytree(old, folder / "lockfiles", ignore=shutil.ignore_patterns("history"))
    spec = {
        "name": name,
        "base": {"bootstrap": "bookworm"},
        "python": "3.11",
        "pip": pip,
        "as-of": AS_OF,
        "smoke": {"command": ["true"]},
    }
    (folder / "freeze.yaml").write_text(yaml.safe_dump(spec))
    freeze(folder, store, "lock")
    freeze(folder, store, "fetch")
    file = folder / "lockfiles" / name / "freeze.lock.yaml"
    return parse_lock(file.read_bytes(), file.name)


def cold_store(root: Path, warm: Path, locks: list[Lock]) -> Path:
    """Make a store with the artifacts, base and Debian layer, and nothing made of wheels."""
    shutil.copytree(warm / "memos", root / "memos", ignore=shutil.ignore_patterns(*MADE))
    source, target = Store.open(warm), Store.open(root)
    for artifact in (artifact for lock in locks for artifact in lock_artifacts(lock)):
        target.put_file(source.path(artifact.sha256), sha256=artifact.sha256)
    for memo in ("bootstrap", "system-layer"):
        for path in (root / "memos" / memo).rglob("*"):
            if path.is_file():
                sha256 = json.loads(path.read_text())
                target.put_file(source.path(sha256), sha256=sha256)
    return root


def context(folder: Path, lock: Lock, store: Path, dockerfile: str) -> None:
    """Write what a Dockerfile builds from: wheels, requirements, and those by weight."""
    shutil.rmtree(folder, ignore_errors=True)
    each = "-r /light.txt" in dockerfile
    for weight in WEIGHTS:
        (folder / "wheels" / (weight if each else "")).mkdir(parents=True, exist_ok=True)
    pins: dict[str, list[str]] = {weight: [] for weight in WEIGHTS}
    for package in lock.pip:
        if package.name == "pip":
            continue
        weight = "heavy" if package.size > 50e6 else "middle" if package.size > 5e6 else "light"
        place = folder / "wheels" / (weight if each else "") / package.file
        place.hardlink_to(Store(store).path(package.sha256))
        pins[weight].append(f"{package.name}=={package.version}")
    for weight, lines in pins.items():
        (folder / f"{weight}.txt").write_text("\n".join([*lines, ""]))
    every = [line for lines in pins.values() for line in lines]
    (folder / "requirements.txt").write_text("\n".join([*sorted(every), ""]))
    (folder / "Dockerfile").write_text(dockerfile)


def build(engine: Engine, folder: Path, *, use_cache: bool = True) -> float:
    started = time.monotonic()
    MADE_HERE.add(engine.build(folder, use_cache=use_cache, report=SilentReporter()))
    return time.monotonic() - started


def clean(engine: Engine) -> None:
    """Remove the images that were made, and what the builder keeps of them."""
    tags = {tag for image in engine.images() for tag in image.tags if "freezer-bench" in tag}
    for name in sorted(MADE_HERE) + sorted(tags):
        engine.remove_image(name)
    # What a builder keeps of images of gigabytes takes longer to remove than a request may last.
    docker.from_env(timeout=900).api.prune_builds()


def column_of(name: str) -> str:
    if name == "first":
        return "cold"
    return "a heavy package" if name == "heavy" else "a small package"


def measure_freezer(work: Path, warm: Path, locks: dict[str, Lock]) -> Row:
    store = cold_store(work / "cold-store", warm, list(locks.values()))
    row = Row("freeze build")
    for name in locks:
        seconds, said = freeze(work / name, store, "build", "--json")
        row.add(column_of(name), seconds, json.loads(said)["timings"])
        for _ in range(3 if name == "first" else 0):
            row.add("unchanged", freeze(work / name, store, "build")[0])
    return row


def measure_way(
    engine: Engine, work: Path, warm: Path, locks: dict[str, Lock], way: str, dockerfile: str
) -> Row:
    folder, row = work / "context", Row(way)
    for name, lock in locks.items():
        context(folder, lock, warm, dockerfile)
        row.add(column_of(name), build(engine, folder, use_cache=name != "first"))
        for _ in range(2 if name == "first" else 0):
            row.add("unchanged", build(engine, folder))
    return row


def heaviest(lock: Lock, store: Path) -> tuple[Path, Path]:
    """Return a lock's heaviest wheel, and the largest layer in a store, which was made of it."""
    wheel = max(lock.pip, key=lambda package: package.size)
    memos = (json.loads(path.read_text()) for path in (store / "memos/layer").rglob("*/*"))
    layer = max(memos, key=lambda memo: memo["size"])
    return Store(store).path(wheel.sha256), Store(store).path(layer["sha256"])


def main() -> None:
    os.environ.setdefault("FREEZER_BUILDER", "buildkit")
    engine = connect()
    with tempfile.TemporaryDirectory(prefix="freezer-bench-") as temporary:
        work, warm = Path(temporary), Path(temporary) / "store"
        print("locking and fetching ...", flush=True)
        project(work / "tools", TOOLS, ["pip", "uv"], warm)
        freeze(work / "tools", warm, "build")
        locks = {"first": project(work / "first", "freezer-bench", PACKAGES, warm)}
        kept = work / "first" / "lockfiles"
        changes = {f"small{n}": change for n, change in enumerate(SMALL)} | {"heavy": HEAVY}
        for name, change in changes.items():
            pip = [*PACKAGES, change]
            locks[name] = project(work / name, "freezer-bench", pip, warm, kept)
        rows = [measure_freezer(work, warm, locks)]
        size = max(image.size for image in engine.images() if "freezer-bench:latest" in image.tags)
        bounds = measure(engine, *heaviest(locks["first"], work / "cold-store"))
        for way, dockerfile in WAYS.items():
            rows.append(measure_way(engine, work, warm, locks, way, dockerfile))
        text = report(
            engine, rows, (PACKAGES, size), bounded(bounds, rows[0], locks["first"], size)
        )
        (HERE / "RESULTS.md").write_text(text)
        print(text)
        clean(engine)


if __name__ == "__main__":
    main()
