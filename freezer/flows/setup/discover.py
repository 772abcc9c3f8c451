"""What a folder says about the environment that its code needs."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from packaging.specifiers import InvalidSpecifier, SpecifierSet

if TYPE_CHECKING:
    from pathlib import Path

MINORS = ("3.13", "3.12", "3.11", "3.10", "3.9")
"""Minor versions of Python that images are commonly offered for, newest first."""
_REQUIREMENTS = ("requirements.in", "requirements.txt", "requirements/base.in",
                 "requirements/base.txt")  # fmt: skip
_ENVIRONMENTS = ("environment.yml", "environment.yaml", "conda-lock.yml", "pixi.lock")
_PYTHON = re.compile(r"^(?:[^:\s]+::)?python\b[\s=><!~]*(?P<minor>3\.\d+)")


@dataclass
class Found:
    """What was found, and what a reader should know about how it was read."""

    name: str = "environment"
    pip_files: list[str] = field(default_factory=list)
    conda: str | None = None
    """An environment.yml or a lock of conda packages; only where no file of pip's is."""
    python: str | None = None
    requires_python: str | None = None
    notes: list[str] = field(default_factory=list)


def discover(folder: Path) -> Found:
    """Return what the files of a folder say; those that cannot be read are noted."""
    found = Found(name=_name(folder.resolve().name))
    project = _pyproject(folder, found)
    _files(folder, found, project)
    _conda(folder, found)
    version = folder / ".python-version"
    if version.is_file() and (match := re.match(r"3\.\d+", version.read_text().strip())):
        found.python = match[0]
    return found


def choose_minor(found: Found, preferred: str) -> str:
    """Return the minor version of Python to write down: the project's, else the preferred one."""
    if found.python is not None:
        return found.python
    if found.requires_python is None:
        return preferred
    try:
        accepted = SpecifierSet(found.requires_python)
    except InvalidSpecifier:
        return preferred
    # A patch release that every bound such as '>=3.9.1' accepts.
    fitting = [minor for minor in MINORS if accepted.contains(f"{minor}.99")]
    return preferred if preferred in fitting or not fitting else fitting[0]


def _name(text: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64]
    return name or "environment"


def _pyproject(folder: Path, found: Found) -> dict[str, Any]:
    path = folder / "pyproject.toml"
    try:
        project: dict[str, Any] = tomllib.loads(path.read_text()).get("project", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        found.notes.append(f"pyproject.toml was passed over: {error}")
        return {}
    if isinstance(project.get("name"), str):
        found.name = _name(project["name"])
    if isinstance(project.get("requires-python"), str):
        found.requires_python = project["requires-python"]
    return project


def _files(folder: Path, found: Found, project: dict[str, Any]) -> None:
    """Choose one file: what people write goes before what tools write."""
    requirements = [name for name in _REQUIREMENTS if (folder / name).is_file()]
    candidates = [name for name in requirements if name.endswith(".in")]
    if project.get("dependencies"):
        candidates.append("pyproject.toml")
    candidates += [name for name in requirements if name.endswith(".txt")]
    if not candidates:
        return
    found.pip_files = candidates[:1]
    if len(candidates) > 1:
        others = ", ".join(candidates[1:])
        found.notes.append(f"{candidates[0]} is used; add {others} under 'pip: {{files: [...]}}'"
                           " if they are wanted too")  # fmt: skip


def _conda(folder: Path, found: Found) -> None:
    name = next((name for name in _ENVIRONMENTS if (folder / name).is_file()), None)
    if name is None:
        return
    if found.pip_files:
        found.notes.append(
            f"{name} is there too; for conda's packages write `conda: {name}` in place of 'pip'"
        )
        return
    try:
        document = yaml.safe_load((folder / name).read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        found.notes.append(f"{name} was passed over: {str(error).splitlines()[0]}")
        return
    found.conda = name
    if not isinstance(document, dict):
        return
    if isinstance(document.get("name"), str):
        found.name = _name(document["name"])
    for entry in document.get("dependencies") or ():
        if isinstance(entry, str) and (match := _PYTHON.match(entry.strip())):
            found.python = match["minor"]
