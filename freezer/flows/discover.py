"""What a folder says about the environment that its code needs."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from packaging.specifiers import InvalidSpecifier, SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINORS = ("3.13", "3.12", "3.11", "3.10", "3.9")
"""Minor versions of Python that images are commonly offered for, newest first."""
_REQUIREMENTS = ("requirements.in", "requirements.txt", "requirements/base.in",
                 "requirements/base.txt")  # fmt: skip
_ENVIRONMENTS = ("environment.yml", "environment.yaml")
_SPEC = re.compile(r"^(?:(?P<channel>[^:\s]+)::)?(?P<name>[A-Za-z0-9_.-]+)\s*(?P<rest>.*)$")
_BUILD = re.compile(r"(?<![=<>!~])=[^=].*$")
"""What follows a version in conda's ``==VERSION=BUILD``."""
_ON_THE_INDEX = {
    "matplotlib-base": "matplotlib",
    "opencv": "opencv-python-headless",
    "py-xgboost": "xgboost",
    "pytables": "tables",
    "pytorch": "torch",
    "pytorch-gpu": "torch",
    "tensorflow-gpu": "tensorflow",
}
"""Names that differ between conda's channels and Python's index."""
_IN_EVERY_ENVIRONMENT = frozenset({"pip", "setuptools", "wheel"})
_NOT_PYTHON = frozenset(
    {"cudatoolkit", "cudnn", "cuda", "mkl", "openblas", "blas",
     "libblas", "gcc", "gxx", "compilers", "git", "ffmpeg", "nodejs", "cuda-version", "nvcc",
     "pytorch-cuda", "libgcc", "libstdcxx-ng", "make", "cmake", "ca-certificates", "openssl"}
)  # fmt: skip


@dataclass
class Found:
    """What was found, and what a reader should know about how it was read."""

    name: str = "environment"
    pip_files: list[str] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)
    python: str | None = None
    requires_python: str | None = None
    notes: list[str] = field(default_factory=list)


def discover(folder: Path) -> Found:
    """Return what the files of a folder say; those that cannot be read are noted."""
    found = Found(name=_name(folder.resolve().name))
    project = _pyproject(folder, found)
    _files(folder, found, project)
    if not found.pip_files:
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
    for name in _ENVIRONMENTS:
        path = folder / name
        if not path.is_file():
            continue
        try:
            document = yaml.safe_load(path.read_text())
        except (OSError, ValueError, yaml.YAMLError) as error:
            found.notes.append(f"{name} was passed over: {str(error).splitlines()[0]}")
            return
        if isinstance(document, dict):
            if isinstance(document.get("name"), str):
                found.name = _name(document["name"])
            found.requirements = list(_from_conda(document, name, found))
        return


def _from_conda(document: dict[str, Any], name: str, found: Found) -> Iterator[str]:
    """Yield requirements for Python's index; note what has no such form."""
    for entry in document.get("dependencies") or ():
        if isinstance(entry, dict):
            yield from (str(item) for item in entry.get("pip") or ())
            continue
        match = _SPEC.match(str(entry).strip())
        if match is None:
            found.notes.append(f"{name}: {entry!r} was passed over")
        elif match["name"] == "python":
            if version := re.search(r"3\.\d+", match["rest"]):
                found.python = version[0]
        elif match["name"] in _IN_EVERY_ENVIRONMENT:
            continue
        elif match["name"] in _NOT_PYTHON:
            found.notes.append(f"{name}: {entry} is not on Python's index and was left out")
        else:
            package = _ON_THE_INDEX.get(match["name"], match["name"])
            found.notes.append(f"{name}: {entry} is taken from Python's index as {package}")
            yield package + _specifier(match["rest"])


def _specifier(rest: str) -> str:
    """Return conda's version as a specifier: ``=1.2`` is ``==1.2.*``, a build is left out."""
    rest = rest.partition("#")[0].strip()
    if rest.startswith(("==", ">", "<", "!", "~")):
        return _BUILD.sub("", re.sub(r"\s+", "", rest))
    version = rest.lstrip("= ").split("=")[0].strip()
    if not version:
        return ""
    return f"=={version}" if "*" in version else f"=={version}.*"
