"""What Freezer makes of public ML projects' own files: an outcome for each, none silent.

    python -m benchmarks.public_projects            # the table, from pinned source distributions
    python -m benchmarks.public_projects --pin      # pin the newest ones anew

Source distributions carry the requirements, pyproject, setup and environment files of their
projects. They are fetched by hash; of each only such files are read, and nothing of it is run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from freezer.errors import FreezerError
from freezer.fetch.config import Config
from freezer.fetch.python.filenames import version_of
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.store.download import fetch_one
from freezer.fetch.store.store import Store
from freezer.flows.setup.discover import discover
from freezer.flows.setup.init import init
from freezer.model.artifact import Artifact
from freezer.model.events import SilentTask
from freezer.model.spec.spec import CondaSpec, PipSpec
from freezer.resolve.conda.environment import gather_conda
from freezer.resolve.python.requirements.gather import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PINS = Path(__file__).with_name("public_projects.json")
NAMES = (
    "accelerate", "albumentations", "allennlp", "botorch", "captum", "catboost", "datasets",
    "diffusers", "einops", "fairseq", "flair", "gensim", "gpytorch", "gymnasium", "hydra-core",
    "keras", "kornia", "lightning", "mlflow", "open-clip-torch", "openai-whisper", "optuna", "peft",
    "pyro-ppl", "sentence-transformers", "skorch", "stable-baselines3", "timm", "torchmetrics",
    "transformers", "ultralytics", "umap-learn", "xgboost",
)  # fmt: skip
_LARGEST = 4 << 20
_DEEPEST = 3
_ENDS = (".txt", ".in", ".toml", ".cfg", ".yml", ".yaml", ".lock", "setup.py", "Pipfile", "MLmodel")


@dataclass(frozen=True)
class Outcome:
    """What became of one file of a project."""

    project: str
    file: str
    kind: str
    """``read``, ``refused`` (with a reason), ``silent`` (nothing, and no word) or ``traceback``."""
    said: str


def main() -> int:
    """Print the table; exit 1 when a file was passed over in silence or ended in a traceback."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pin", action="store_true", help="pin the newest versions anew")
    if parser.parse_args().pin:
        pin()
    found = list(outcomes())
    print("| project | file | outcome | |\n| --- | --- | --- | --- |")
    for item in found:
        print(f"| {item.project} | {item.file} | {item.kind} | {item.said} |")
    counts = Counter(item.kind for item in found)
    projects = len({item.project for item in found})
    print(f"\n{projects} projects, {len(found)} outcomes: {dict(counts)}", file=sys.stderr)
    return 1 if counts["silent"] or counts["traceback"] else 0


def pin() -> None:
    """Write the newest source distribution of each project, with its hash."""
    index = PythonIndex.from_config(Config())
    pins = {}
    for name in NAMES:
        files = [f for f in index.files(name) if f.name.endswith(".tar.gz") and f.sha256]
        dated = [(version, f) for f in files if (version := version_of(f.name))]
        stable = [item for item in dated if not item[0].is_prerelease]
        if stable:
            newest = max(stable, key=lambda item: item[0])[1]
            pins[name] = {"file": newest.name, "sha256": newest.sha256, "size": newest.size}
    PINS.write_text(json.dumps(pins, indent=1) + "\n")


def outcomes() -> Iterator[Outcome]:
    """Yield what became of each file of each project."""
    store, index = Store.open(), PythonIndex.from_config(Config())
    for name, pinned in json.loads(PINS.read_text()).items():
        artifact = Artifact(source="pypi", **pinned)
        fetch_one(artifact, store=store, sources=[index], task=SilentTask())
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            unpack(store.verified(artifact.sha256), place)
            version = str(version_of(artifact.file))
            yield from of_project(f"{name} {version}", place)


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of an archive by which a project may declare its environment."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            shallow = 0 < len(path.parts) <= _DEEPEST and ".." not in path.parts
            if member.isreg() and shallow and member.size <= _LARGEST and path.name.endswith(_ENDS):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                stream = tar.extractfile(member)
                target.write_bytes(stream.read() if stream else b"")


def of_project(project: str, folder: Path) -> Iterator[Outcome]:
    """Yield the outcome of ``freeze init``, and of each file that it recognised."""
    yield _tried(project, "(freeze init)", partial(_init, folder))
    for seen in discover(folder).seen:
        if seen.use == "conda":
            yield _tried(project, seen.file, partial(_conda, folder, seen.file))
        elif seen.use == "pip" and not seen.requirements:
            for file in seen.files or (seen.file,):
                yield _tried(project, file, partial(_pip, folder, file))
        elif seen.requirements:
            said = f"{len(seen.requirements)} requirements into the spec"
            yield Outcome(project, seen.file, "read", said)
        else:
            yield Outcome(project, seen.file, "refused", seen.advice or seen.kind)


def _tried(project: str, file: str, attempt: Callable[[], str]) -> Outcome:
    try:
        said = attempt()
    except FreezerError as error:
        lines = " ".join(str(error).split())
        return Outcome(project, file, "refused", lines[:200].replace("|", "/"))
    except Exception as error:  # noqa: BLE001 - that there is none is what is measured
        return Outcome(project, file, "traceback", f"{type(error).__name__}: {error}"[:200])
    return Outcome(project, file, "read" if said else "silent", said)


def _init(folder: Path) -> str:
    written = init(folder)
    (folder / "freeze.yaml").unlink()
    return "; ".join(written.notes)[:200].replace("|", "/")


def _pip(folder: Path, file: str) -> str:
    found = gather(folder, PipSpec(files=(file,)))
    count = len(found.requirements) + len(found.git)
    more = f", {len(found.warnings)} warnings" if found.warnings else ""
    if count:
        return f"{count} requirements{more}"
    return "; ".join(found.warnings) or _empty(folder / file)


def _empty(path: Path) -> str:
    """Return a word for a file of comments alone; none for one that was not read."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    asking = [line for line in lines if line.strip() and not line.strip().startswith("#")]
    return "" if asking else "an empty file"


def _conda(folder: Path, file: str) -> str:
    found = gather_conda(folder, CondaSpec(file=file), "3.11")
    count = len(found.specs) + len(found.locked) - (not found.locked)
    return f"{count} conda packages, {len(found.pip)} for pip, {len(found.warnings)} warnings"


if __name__ == "__main__":
    sys.exit(main())
