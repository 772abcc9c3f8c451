"""Environments by Freezer's own lock, build and run, in which trials run as in virtual ones."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.atlas.environments import PYTHON, ROOT, TIMEOUT, RunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.atlas.environments import Level

_CODE: Final = (
    "benchmarks/__init__.py",
    "benchmarks/atlas/__init__.py",
    "benchmarks/atlas/inside.py",
)
_SYSTEM: Final = ("libgomp1",)
"""What wheels expect of the system."""
_ANSWER: Final = "answer.json"
_NOT_OURS: Final = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "SSL_CERT_FILE"})


@dataclass(frozen=True)
class Frozen:
    """A project with one environment, locked and built by Freezer."""

    folder: Path
    installed: Mapping[str, str]

    def run(self, trial: Path, request: Mapping[str, Any], level: Level) -> dict[str, Any]:
        """Run operations of a trial in a container. Raises ``RunError``."""
        there = self.folder / "benchmarks" / "atlas" / "trials" / trial.name
        there.parent.mkdir(exist_ok=True)
        shutil.copyfile(trial, there)
        found = {k: v for k, v in level.environment().items() if k not in _NOT_OURS}
        variables = [f"{name}={value}" for name, value in found.items()]
        shown = there.relative_to(self.folder).as_posix()
        inner = ["python", "-m", "benchmarks.atlas.inside", shown, json.dumps(request)]
        line = shlex.join(["env", *variables, *inner]) + f' > "$FREEZER_OUTPUT/{_ANSWER}"'
        outputs = self.folder / "out"
        shutil.rmtree(outputs, ignore_errors=True)
        _freeze(self.folder, "run", "-o", str(outputs), "--", "sh", "-c", line)
        try:
            answer: dict[str, Any] = json.loads((outputs / _ANSWER).read_text())
        except (OSError, ValueError) as error:
            raise RunError(f"{trial.name} left no result in {outputs}") from error
        return answer


def frozen(folder: Path, requirements: Sequence[str]) -> Frozen:
    """Lock and build an environment of pinned packages. Raises ``RunError`` when it cannot be."""
    folder.mkdir(parents=True)
    for name in _CODE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    spec = {
        "name": "atlas",
        "base": {"bootstrap": "bookworm"},
        "python": PYTHON,
        "system": list(_SYSTEM),
        "pip": list(requirements),
        "smoke": {"training": ["numpy"]},
    }
    (folder / "freeze.yaml").write_text(json.dumps(spec, indent=1) + "\n")  # YAML is a superset
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    _freeze(folder, "lock")
    _freeze(folder, "build")
    listed = json.loads(_freeze(folder, "sbom", "--format", "cyclonedx"))
    found = {
        item["name"]: item["version"]
        for item in listed["components"]
        if str(item.get("purl", "")).startswith("pkg:pypi/")
    }
    return Frozen(folder, dict(sorted(found.items())))


def _freeze(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "freezer", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        raise RunError(f"freeze {arguments[0]}: {done.stderr.strip()[-400:]}")
    return done.stdout
