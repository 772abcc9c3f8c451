"""A clean machine as CI systems have it: runs the steps of a rendered workflow as they are written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
_EXPRESSION = re.compile(r"\$\{\{ *([^}]+?) *\}\}")
_OURS = ("PATH", "LANG", "DOCKER_HOST", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Step:
    """How one step ended."""

    name: str
    command: str
    code: int
    out: str


@dataclass
class Machine:
    """A home, a checkout, and a Python of its own, whose pip takes what is needed from here."""

    home: Path
    checkout: Path
    store: Path
    values: dict[str, str]
    """What expressions such as ``github.event_name`` come to."""
    variables: dict[str, str]
    """What the CI system sets."""
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.mkdir()
        self.temporary.mkdir()
        subprocess.run([sys.executable, "-m", "venv", str(self.python)], check=True)
        self._give_dependencies()

    @property
    def python(self) -> Path:
        return self.home / "python"

    @property
    def temporary(self) -> Path:
        return self.home / "temp"

    @property
    def summary(self) -> Path:
        return self.home / "summary.md"

    def _give_dependencies(self) -> None:
        """Let pip find Freezer's wheel in a folder, and its dependencies as installed."""
        here = next(Path(one) for one in sys.path if one.endswith("site-packages"))
        links = self.home / "dependencies"
        links.mkdir()
        for one in here.iterdir():
            if one.name.partition("-")[0] not in ("freezer_ml", "_freezer_ml.pth", "pip"):
                (links / one.name).symlink_to(one)
        (site,) = self.python.glob("lib/python*/site-packages")
        (site / "dependencies.pth").write_text(f"{links}\n")

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _OURS if name in os.environ}
        return {
            **kept,
            "HOME": str(self.home),
            "PATH": f"{self.python / 'bin'}:{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "FREEZER_STORE": str(self.store),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.home / "wheels"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            **self.variables,
            **more,
        }

    def run(self, name: str, command: str, more: dict[str, str], folder: Path) -> Step:
        """Run a step's script by bash, as both systems do, which end at the first failure."""
        script = self.temporary / "script.sh"
        script.write_text(command)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            check=False, cwd=folder, env=self.environment(more), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
        )  # fmt: skip
        step = Step(name, command, done.returncode, done.stdout)
        self.steps.append(step)
        return step

    def evaluated(self, text: Any) -> str:
        return _EXPRESSION.sub(lambda match: self.values[match[1]], str(text))

    def github(self, file: Path, job: str) -> list[Step]:
        """Run every step of a job of GitHub's that has a script; those after a failure only ``always``."""
        workflow = yaml.safe_load(file.read_text())
        found = workflow["jobs"][job]
        folder = self.checkout / workflow["defaults"]["run"].get("working-directory", ".")
        if job == "comment":  # it has no checkout, only what it downloaded
            folder = self.home / "empty"
            folder.mkdir(exist_ok=True)
            shutil.copytree(
                self.checkout / "freezer-report", folder / "freezer-report", dirs_exist_ok=True
            )
        ended, failed = [], False
        for step in found["steps"]:
            if "run" not in step or (failed and step.get("if") != "always()"):
                continue
            given = {**found.get("env", {}), **step.get("env", {})}
            more = {name: self.evaluated(value) for name, value in given.items()}
            more |= {"GITHUB_STEP_SUMMARY": str(self.summary), "RUNNER_TEMP": str(self.temporary)}
            ended.append(self.run(step["name"], step["run"], more, folder))
            failed = failed or ended[-1].code != 0
        return ended

    def gitlab(self, file: Path, job: str, more: dict[str, str]) -> list[Step]:
        """Run the lines of a job of GitLab's, which one shell reads."""
        jobs = yaml.safe_load(file.read_text())
        found = jobs[job]
        parents = [jobs[name] for name in found.get("extends", [])]
        lines = [line for one in parents for line in one.get("before_script", [])]
        given = {name: str(value) for name, value in found.get("variables", {}).items()}
        for name, value in given.items():
            given[name] = re.sub(r"^\$(\w+)$", lambda match: more.get(match[1], ""), value)
        script = "\n".join([*lines, *found["script"]])
        return [self.run(job, script, {**given, **more}, self.checkout)]
