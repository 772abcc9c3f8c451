"""Finds the files of a folder that describe the environment of its code."""

from __future__ import annotations

import configparser
import os
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import yaml

from freezer.errors import FreezerError
from freezer.flows.setup.files import conda_files, pip_files
from freezer.flows.setup.files.seen import (
    LARGEST,
    Seen,
    WantedPython,
    by_specifier,
    by_version,
    table,
    texts,
)
from freezer.model.parsing import parse_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Reader = Callable[[Path, str], Seen | None]

MINORS: Final = tuple(f"3.{minor}" for minor in range(7, 15))
"""Minor versions of Python that images are commonly offered for, oldest first."""
_READERS: Final[tuple[tuple[str, Reader], ...]] = (
    ("pyproject.toml", pip_files.pyproject),
    ("requirements.in", pip_files.requirements_file),
    ("requirements.txt", pip_files.requirements_file),
    ("requirements[-_.]*.in", pip_files.requirements_file),
    ("requirements[-_.]*.txt", pip_files.requirements_file),
    ("*[-_.]requirements.txt", pip_files.requirements_file),
    ("requirement.txt", pip_files.requirements_file),
    ("*reqs.txt", pip_files.requirements_file),
    ("reqs[-_.]*.txt", pip_files.requirements_file),
    ("requirements/*.in", pip_files.requirements_file),
    ("requirements/*.txt", pip_files.requirements_file),
    ("setup.cfg", pip_files.setup_cfg),
    ("setup.py", pip_files.setup_py),
    ("Pipfile", pip_files.pipfile),
    ("uv.lock", pip_files.uv_lock),
    ("pylock.toml", pip_files.pylock),
    ("pylock.*.toml", pip_files.pylock),
    ("poetry.lock", pip_files.poetry_lock),
    ("pdm.lock", pip_files.pdm_lock),
    ("Pipfile.lock", pip_files.pipfile_lock),
    ("python_env.yaml", conda_files.mlflow_python),
    ("MLmodel", conda_files.mlflow_python),
    ("environment.y*ml", conda_files.environment),
    ("environment[-_.]*.y*ml", conda_files.environment),
    ("*[-_.]environment.y*ml", conda_files.environment),
    ("environments/*.y*ml", conda_files.environment),
    ("envs/*.y*ml", conda_files.environment),
    ("env/*.y*ml", conda_files.environment),
    ("env.y*ml", conda_files.environment),
    ("env[-_.]*.y*ml", conda_files.environment),
    ("*[-_.]env.y*ml", conda_files.environment),
    ("conda.y*ml", conda_files.environment),
    ("conda[-_.]env*.y*ml", conda_files.environment),
    ("conda/*.y*ml", conda_files.environment),
    ("conda-lock.y*ml", conda_files.conda_lock),
    ("*.conda-lock.y*ml", conda_files.conda_lock),
    ("pixi.toml", conda_files.pixi_project),
    ("pixi.lock", conda_files.pixi_lock),
    ("*.lock", conda_files.explicit),
    ("*explicit*.txt", conda_files.explicit),
    ("spec-file.txt", conda_files.explicit),
    ("*.py", pip_files.script),
)
"""What each family of files is called, and who reads it; a file is read by the first that fits."""


@dataclass
class Found:
    """What was found, and what a reader should know about how it was read."""

    name: str = "environment"
    seen: list[Seen] = field(default_factory=list)
    """Every file that was recognised, the one that is used first."""
    used: Seen | None = None
    pythons: list[WantedPython] = field(default_factory=list)
    """What the files say about Python, those that count most first."""
    notes: list[str] = field(default_factory=list)

    def allowed(self) -> tuple[str, ...]:
        """Return the minor versions that every file allows; empty where files disagree."""
        return tuple(
            minor for minor in MINORS if all(item.allows_minor(minor) for item in self.pythons)
        )

    def agreeing(self) -> tuple[str, ...]:
        """Return the minor versions that as many files as can be allow, the first ones first."""
        allowed = MINORS
        for item in self.pythons:
            narrowed = tuple(minor for minor in allowed if item.allows_minor(minor))
            allowed = narrowed or allowed
        return allowed


def discover(folder: Path) -> Found:
    """Return what the files of a folder say; those that cannot be read are noted."""
    found = Found(name=plain_name(folder.resolve().name))
    done = set[str]()
    for path, reader in _candidates(folder):
        file = path.relative_to(folder).as_posix()
        if file not in done and (seen := _read(path, file, reader, found, done)):
            found.seen.append(seen)
            found.notes += seen.notes
    found.seen.sort(key=lambda seen: (seen.use is None, seen.rank))
    found.used = next((seen for seen in found.seen if seen.use), None)
    named = [seen.name for seen in found.seen if seen.name]
    found.name = plain_name(named[0]) if named else found.name
    pythons = [*_version_files(folder, found), *(s.python for s in found.seen if s.python)]
    own = found.used.file if found.used else None
    # What is used counts most: its packages would not install elsewhere.
    found.pythons = sorted(pythons, key=lambda item: item.file != own)
    return found


def plain_name(text: str) -> str:
    """Return a text as an environment's name."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64].strip("-")
    return name or "environment"


def _candidates(folder: Path) -> Iterator[tuple[Path, Reader]]:
    for pattern, reader in _READERS:
        yield from ((path, reader) for path in _matching(folder, pattern))


def _matching(folder: Path, pattern: str) -> list[Path]:
    """Return the files that match a pattern, and those of exactly that name."""
    if "*" not in pattern:
        return [folder / pattern] if os.path.lexists(folder / pattern) else []
    return [path for path in sorted(folder.glob(pattern)) if path.is_file()]


def _read(path: Path, file: str, reader: Reader, found: Found, done: set[str]) -> Seen | None:
    """Return a file's requirements; ``done`` gets its name where no other reader need try."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        if not path.is_file():
            raise ValueError("it is no file")
        if seen := reader(path, file):
            done.add(file)
        return seen
    except (
        OSError, ValueError, SyntaxError, RecursionError, MemoryError, FreezerError, yaml.YAMLError,
        configparser.Error,
    ) as error:  # fmt: skip
        reason = (str(error) or type(error).__name__).splitlines()[0]
        done.add(file)
        found.notes.append(f"{file} was passed over, because it cannot be read: {reason}")
        return None


def _version_files(folder: Path, found: Found) -> Iterator[WantedPython]:
    for file, words_of in _VERSION_FILES.items():
        path = folder / file
        if not path.is_file():
            continue
        try:
            words = words_of(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            found.notes.append(f"{file} was passed over, because it cannot be read: {error}")
            continue
        text = words[0] if words else ""
        wanted = version_of_file(file, text)
        if wanted is not None:
            yield wanted
        elif text:
            found.notes.append(f"{file} was passed over: {text!r} is no version of CPython")


def _plain_words(text: str) -> list[str]:
    """Return the words of pyenv's ``.python-version`` or Heroku's ``runtime.txt``."""
    return [word for line in text.splitlines() for word in line.partition("#")[0].split()]


def _asdf_words(text: str) -> list[str]:
    """Return the versions of Python in asdf's ``.tool-versions``."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return next((words[1:] for words in lines if words[:1] == ["python"]), [])


def _mise_words(text: str) -> list[str]:
    """Return the versions of Python in a ``mise.toml``."""
    value = table(parse_toml(text), "tools").get("python")
    value = value.get("version") if isinstance(value, dict) else value
    return texts(value if isinstance(value, list) else [value])


_VERSION_FILES: Final = {
    ".python-version": _plain_words,
    "runtime.txt": _plain_words,
    ".tool-versions": _asdf_words,
    "mise.toml": _mise_words,
    ".mise.toml": _mise_words,
}
"""What names one version of Python, those that count most first, and how its words are read."""


def version_of_file(file: str, text: str) -> WantedPython | None:
    """Return what a word of a ``.python-version`` means: ``3.11``, ``cpython-3.11.4``, ``>=3.9``.

    None for another Python, such as ``pypy3.10``, and for what is no version.
    """
    match = re.fullmatch(
        r"(?:c?python[-@]?|cp)?(\d+\.\d+)(\.\d+)?(-dev|t|\+\S*|-\w+-\w+-\S+)?", text
    )
    if match and match[3] != "t":
        return by_version(file, match[1], text)
    return by_specifier(file, text) if text[:1] in "<>=!~" else None


def host_minor() -> str:
    """Return the minor version of the Python that runs Freezer."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
