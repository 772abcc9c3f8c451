"""Files of pip, setuptools, uv, Poetry, PDM and Pipenv."""

from __future__ import annotations

import ast
import configparser
import json
import re
from typing import TYPE_CHECKING, Any

from freezer.fetch.http.redact import redact
from freezer.fetch.python.settings import is_public_index
from freezer.flows.setup.files import poetry
from freezer.flows.setup.files.seen import (
    Seen,
    by_specifier,
    by_version,
    table,
    texts,
    unusable_specifier,
)
from freezer.model.parsing import parse_toml
from freezer.resolve.python.requirements.file import decode

if TYPE_CHECKING:
    from pathlib import Path

_NOT_MAIN = ("dev", "test", "tests", "testing", "doc", "docs", "lint", "ci", "build", "typing",
             "benchmark", "optional", "extra", "extras", "constraints")  # fmt: skip


def requirements_file(path: Path, file: str) -> Seen:
    """Return a requirements file; one for development is used only where there is no other."""
    stem = file.rpartition(".")[0].lower()
    words = set(stem.replace("/", "-").replace("_", "-").replace(".", "-").split("-"))
    side = bool(words & set(_NOT_MAIN))
    plain = stem in ("requirements", "requirements/base", "requirements/main", "requirements/prod")
    rank = (10 if file.endswith(".in") else 30) + (0 if plain else 5) + (50 if side else 0)
    kind = "a requirements file" + (" for development" if side else "")
    lines = decode(path.read_bytes()).splitlines()
    empty = not any(line.partition("#")[0].strip() for line in lines)
    notes = (f"{file} requires nothing",) if empty else ()
    return Seen(file, kind, "pip", rank=rank + (80 if empty else 0), notes=notes)


_SCRIPT = re.compile(r"^# /// script\s*$\n(?P<lines>(^#(| .*)$\n)+?)^# ///\s*$", re.MULTILINE)


def script(path: Path, file: str) -> Seen | None:
    """Return a script that declares what it needs (PEP 723); None for any other one."""
    match = _SCRIPT.search(path.read_text(encoding="utf-8", errors="replace"))
    if match is None:
        return None
    lines = [line.removeprefix("#").removeprefix(" ") for line in match["lines"].splitlines()]
    document = parse_toml("\n".join(lines))
    python = by_specifier(file, document.get("requires-python"))
    needs = tuple(texts(document.get("dependencies")))
    kind = "a script with requirements of its own (PEP 723)"
    return Seen(file, kind, "pip" if needs else None, requirements=needs, python=python, rank=93)


def pyproject(path: Path, file: str) -> Seen | None:
    """Return a ``pyproject.toml``; None for one that only configures tools."""
    document = parse_toml(path.read_text(encoding="utf-8"))
    for name in ("project", "tool"):
        if not isinstance(document.get(name, {}), dict):
            msg = f"'{name}' is not a table"
            raise ValueError(msg)
    project, pixi = table(document, "project"), table(document, "tool", "pixi")
    if pixi and (not project or _conda_packages(pixi)):
        called = project.get("name")
        return Seen(
            file, "a pixi project", advice=_PIXI,
            python=_conda_python(file, table(pixi, "dependencies").get("python")),
            name=called if isinstance(called, str) else None,
        )  # fmt: skip
    if project:
        return _standard(document, project, file, path.parent)
    if workspace := table(document, "tool", "uv", "workspace"):
        members = ", ".join(texts(workspace.get("members"))) or "none"
        return Seen(
            file, f"the root of a uv workspace (members: {members}), and no project itself",
            advice="name the members that are wanted: `pip: {files: [MEMBER/pyproject.toml]}`",
        )  # fmt: skip
    if tool := table(document, "tool", "poetry"):
        return _poetry(tool, file)
    if "dependency-groups" in document:
        groups = ", ".join(table(document, "dependency-groups"))
        return Seen(
            file, f"a pyproject.toml with dependency groups alone ({groups})",
            advice=f"name the groups that are wanted: `pip: {{files: [{file}], groups: [...]}}`",
        )  # fmt: skip
    return None


_PIXI = "run `pixi lock` and write `conda: pixi.lock`"


def _conda_packages(pixi: dict[str, Any]) -> bool:
    """Say whether a pixi project installs more from conda channels than Python and pip."""
    features = table(pixi, "feature").values()
    tables = [pixi, *(item for item in features if isinstance(item, dict))]
    names = {name for one in tables for name in table(one, "dependencies")}
    return bool(names - {"python", "pip"})


def _conda_python(file: str, text: object) -> Any:
    from freezer.flows.setup.files.conda_files import by_match_spec

    return by_match_spec(file, f"python {text}") if isinstance(text, str) else None


def _standard(
    document: dict[str, Any], project: dict[str, Any], file: str, folder: Path
) -> Seen | None:
    name = project.get("name")
    known: dict[str, Any] = {
        "name": name if isinstance(name, str) else None,
        "python": by_specifier(file, project.get("requires-python")),
        "notes": unusable_specifier(file, "requires-python", project.get("requires-python")),
    }
    if "dependencies" in texts(project.get("dynamic")):
        dynamic = table(document, "tool", "setuptools", "dynamic", "dependencies").get("file")
        files = [dynamic] if isinstance(dynamic, str) else texts(dynamic)
        kind = "a project whose dependencies are dynamic"
        if files and all((folder / item).is_file() for item in files):
            return Seen(file, kind, "pip", files=tuple(files), rank=20, **known)
        if poet := table(document, "tool", "poetry"):
            seen = _poetry(poet, file)
            return Seen(**{**seen.__dict__, **{k: v for k, v in known.items() if v}})
        return Seen(
            file, kind, **known,
            advice="only its build determines them; name the file that they come from",
        )  # fmt: skip
    kind = "a project" if project.get("dependencies") else "a project without dependencies"
    tool = (
        "uv" if table(document, "tool", "uv") else "PDM" if table(document, "tool", "pdm") else ""
    )
    kind += f" of {tool}" if tool else ""
    return Seen(file, kind, "pip", rank=20 if project.get("dependencies") else 90, **known)


def _poetry(tool: dict[str, Any], file: str) -> Seen:
    dependencies = table(tool, "dependencies")
    found, left = poetry.requirements(dependencies)
    python = dependencies.get("python")
    wanted = poetry.specifier(python) if isinstance(python, str) else None
    known: dict[str, Any] = {
        "name": tool["name"] if isinstance(tool.get("name"), str) else None,
        "python": by_specifier(file, wanted, f"python = {python!r}"),
    }
    if tool.get("source"):
        left.append("its own indexes")
    if left:
        advice = f"{', '.join(left)} cannot be written as standard requirements; run `poetry export"
        return Seen(file, "a Poetry project", advice=f"{advice} -o requirements.txt`", **known)
    return Seen(file, "a Poetry project", "pip", requirements=tuple(found), rank=22, **known)


def setup_cfg(path: Path, file: str) -> Seen | None:
    """Return a ``setup.cfg``; None for one that only configures tools."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(path.read_text(encoding="utf-8"))
    if not parser.has_section("options") and not parser.has_section("metadata"):
        return None
    value = parser.get("options", "install_requires", fallback="").strip()
    known: dict[str, Any] = {
        "name": parser.get("metadata", "name", fallback=None),
        "python": by_specifier(file, parser.get("options", "python_requires", fallback=None)),
    }
    if value.startswith("file:"):
        files = tuple(item.strip() for item in value.removeprefix("file:").split(","))
        if all((path.parent / item).is_file() for item in files):
            return Seen(file, "a setuptools project", "pip", files=files, rank=40, **known)
    items = tuple(line.strip() for line in value.splitlines() if line.strip())
    if not items:
        return Seen(file, "a setuptools project without install_requires", rank=95, **known)
    return Seen(file, "a setuptools project", "pip", requirements=items, rank=40, **known)


def setup_py(path: Path, file: str) -> Seen:
    """Return a ``setup.py``, read without running it: what is written as literals counts."""
    arguments = _setup_arguments(path.read_text(encoding="utf-8"))
    name, python = arguments.get("name"), arguments.get("python_requires")
    known: dict[str, Any] = {
        "name": name if isinstance(name, str) else None,
        "python": by_specifier(file, python),
    }
    found = arguments.get("install_requires")
    if isinstance(found, (list, tuple)) and all(isinstance(item, str) for item in found) and found:
        return Seen(
            file, "a setuptools project", "pip", requirements=tuple(found), rank=42, **known
        )
    if found == [] or "install_requires" not in arguments:
        return Seen(file, "a setuptools project without install_requires", rank=95, **known)
    return Seen(
        file, "a setuptools project whose install_requires is computed", **known,
        advice="it cannot be read without running it; run `pip-compile setup.py -o "
        "requirements.txt` and name that file",
    )  # fmt: skip


_UNKNOWN: dict[str, Any] = {"install_requires": None}
"""Of a call of ``setup`` that is not found, or that takes its arguments from elsewhere."""


def _setup_arguments(text: str) -> dict[str, Any]:
    """Return the literal arguments of ``setup(...)``; what is computed is None."""
    module = ast.parse(text)
    names: dict[str, Any] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[node.targets[0].id] = _literal(node.value, {})
    for node in ast.walk(module):
        called = getattr(node, "func", None)
        if getattr(called, "id", getattr(called, "attr", None)) == "setup":
            keywords = getattr(node, "keywords", [])
            found = {item.arg: _literal(item.value, names) for item in keywords if item.arg}
            whole = len(found) == len(keywords) or "install_requires" in found
            return found if whole else {**_UNKNOWN, **found}
    return _UNKNOWN


def _literal(node: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        return None


def pipfile(path: Path, file: str) -> Seen:
    """Return a ``Pipfile``."""
    document = parse_toml(path.read_text(encoding="utf-8"))
    requires = table(document, "requires")
    version = requires.get("python_full_version") or requires.get("python_version")
    python = by_version(file, version) if isinstance(version, str) else None
    found, left = poetry.requirements(table(document, "packages"))
    sources = document.get("source", [])
    urls = [str(item.get("url")) for item in sources if isinstance(item, dict)]
    left += [f"the index {redact(url)}" for url in urls if not is_public_index(url)]
    if left:
        advice = f"{', '.join(left)} cannot be written as standard requirements; run `pipenv"
        advice += " requirements > requirements.txt`"
        return Seen(file, "a Pipfile", advice=advice, python=python)
    return Seen(file, "a Pipfile", "pip", requirements=tuple(found), rank=44, python=python)


def uv_lock(path: Path, file: str) -> Seen:
    """Return a ``uv.lock``."""
    document = parse_toml(path.read_text(encoding="utf-8"))
    python = by_specifier(file, document.get("requires-python"))
    return Seen(file, "uv's lock", "pip", rank=60, python=python)


def pylock(path: Path, file: str) -> Seen:
    """Return a ``pylock.toml``."""
    document = parse_toml(path.read_text(encoding="utf-8"))
    python = by_specifier(file, document.get("requires-python"))
    return Seen(file, "a standard lock (PEP 751)", "pip", rank=61, python=python)


def poetry_lock(path: Path, file: str) -> Seen:
    """Return a ``poetry.lock``."""
    document = parse_toml(path.read_text(encoding="utf-8"))
    text = table(document, "metadata").get("python-versions")
    wanted = poetry.specifier(text) if isinstance(text, str) else None
    return Seen(
        file, "Poetry's lock", python=by_specifier(file, wanted, str(text)),
        advice="to keep its versions, run `poetry export -o requirements.txt` and name that file",
    )  # fmt: skip


def pdm_lock(path: Path, file: str) -> Seen:
    """Return a ``pdm.lock``."""
    document = parse_toml(path.read_text(encoding="utf-8"))
    targets = table(document, "metadata").get("targets")
    first = targets[0] if isinstance(targets, list) and targets else None
    return Seen(
        file, "PDM's lock", python=by_specifier(file, table(first).get("requires_python")),
        advice="to keep its versions, run `pdm export -f pylock -o pylock.toml` and name that file",
    )  # fmt: skip


def pipfile_lock(path: Path, file: str) -> Seen:
    """Return a ``Pipfile.lock``."""
    document = json.loads(path.read_text(encoding="utf-8"))
    version = table(document, "_meta", "requires").get("python_version")
    python = by_version(file, version) if isinstance(version, str) else None
    return Seen(
        file, "Pipenv's lock", python=python,
        advice="to keep its versions, run `pipenv requirements --hash > requirements.txt`",
    )  # fmt: skip
