"""Files of conda, conda-lock, pixi and MLflow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from freezer.flows.setup.files.seen import Seen, WantedPython, by_version, table
from freezer.model.parsing import parse_toml
from freezer.model.yaml_document import load_as_text

if TYPE_CHECKING:
    from pathlib import Path

_PYTHON = re.compile(r"^(?:[^:\s]+::)?python(?=[\s=<>!~\[]|$)")
_LOCKED = re.compile(r"/python-(?P<version>3\.\d+\.\d+)-[^/\s]+\.(?:conda|tar\.bz2)")


_CONDA_NAME = re.compile(r"(environment|env|conda)\.ya?ml$")
"""Names that only a conda environment has."""


def by_match_spec(file: str, text: str) -> WantedPython | None:
    """Return what a match spec such as ``python >=3.9,<3.12`` allows; None for what is none."""
    from rattler import MatchSpec, Version, VersionSpec

    from freezer.resolve.conda.matchspec import without_spaces

    try:
        wanted = MatchSpec(without_spaces(text.rpartition("::")[2])).version
        accepted = VersionSpec(wanted) if wanted else None
    except Exception:  # noqa: BLE001 - rattler has an error for each part of a match spec
        return None
    if accepted is None:
        return None
    return WantedPython(file, text, lambda version: bool(accepted.matches(Version(version))))


def environment(path: Path, file: str) -> Seen | None:
    """Return an ``environment.yml``, whatever its name; None for another YAML file."""
    document = _read(path)
    dependencies = document.get("dependencies")
    if not isinstance(dependencies, list):
        if not _CONDA_NAME.match(file):
            return None
        return Seen(file, "a YAML file without a list of `dependencies`", rank=95)
    specs = [item.strip() for item in dependencies if isinstance(item, str)]
    found = (by_match_spec(file, item) for item in specs if _PYTHON.match(item))
    name = document.get("name")
    plain = file in ("environment.yml", "environment.yaml")
    return Seen(
        file, "a conda environment", "conda", name=name if isinstance(name, str) else None,
        python=next((item for item in found if item), None), rank=50 if plain else 55,
    )  # fmt: skip


def conda_lock(path: Path, file: str) -> Seen:
    """Return a ``conda-lock.yml``."""
    return Seen(file, "a lock of conda-lock", "conda", rank=70, python=_locked(path, file))


def pixi_lock(path: Path, file: str) -> Seen:
    """Return a ``pixi.lock``."""
    return Seen(file, "pixi's lock", "conda", rank=69, python=_locked(path, file))


def explicit(path: Path, file: str) -> Seen | None:
    """Return an explicit file; None for another one."""
    if not re.search(r"^@EXPLICIT\s*$", path.read_text(encoding="utf-8"), re.MULTILINE):
        return None
    return Seen(file, "an explicit list of conda packages", "conda", rank=71,
                python=_locked(path, file))  # fmt: skip


def pixi_project(path: Path, file: str) -> Seen:
    """Return a ``pixi.toml``."""
    document = parse_toml(path.read_text(encoding="utf-8"))
    head = table(document, "workspace") or table(document, "project")
    name, python = head.get("name"), table(document, "dependencies").get("python")
    return Seen(
        file, "a pixi project", name=name if isinstance(name, str) else None,
        python=by_match_spec(file, f"python {python}") if isinstance(python, str) else None,
        advice="run `pixi lock` and write `conda: pixi.lock`",
    )  # fmt: skip


def mlflow_python(path: Path, file: str) -> Seen | None:
    """Return MLflow's ``python_env.yaml`` or ``MLmodel``: they name the model's Python."""
    document = _read(path)
    version = document.get("python")
    if version is None:
        version = table(document, "flavors", "python_function").get("python_version")
    python = by_version(file, version) if isinstance(version, str) else None
    return Seen(file, "MLflow's description of a model", rank=95, python=python)


def _locked(path: Path, file: str) -> WantedPython | None:
    match = _LOCKED.search(path.read_text(encoding="utf-8"))
    return by_version(file, match["version"], f"python {match['version']}") if match else None


def _read(path: Path) -> dict[str, Any]:
    document = load_as_text(path.read_text(encoding="utf-8"))
    return document if isinstance(document, dict) else {}
