"""Reading an ``environment.yml``: channels, match specs, pip part, each with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freezer.errors import SpecError, Where
from freezer.model.yaml_document import Document, read_yaml

if TYPE_CHECKING:
    from freezer.resolve.conda.solver.interface import Subdir

_SELECTOR = re.compile(r"#.*\[(?P<word>\w+)\]\s*$")
_SEL_KEY = re.compile(r"^sel\((?P<word>\w+)\)$")
_SELECTED = {
    "linux-64": frozenset({"linux", "unix", "linux64", "x86_64"}),
    "linux-aarch64": frozenset({"linux", "unix", "aarch64"}),
}
_OTHERS = frozenset(
    {"linux64", "x86_64", "aarch64", "ppc64le", "osx", "osx64", "arm64", "win", "win32", "win64"}
)
_KNOWN = frozenset({"name", "channels", "dependencies", "prefix", "platforms", "category"})
_ELSEWHERE = {
    "variables": "environment variables are not taken from it: write them under `env:` in the spec",
    "pip-repositories": "package indexes are not taken from it: configure them for pip or uv",
}


@dataclass
class EnvironmentFile:
    """What the file asks for on one platform, in its order."""

    channels: list[tuple[str, Where]] = field(default_factory=list)
    specs: list[tuple[str, Where]] = field(default_factory=list)
    pip: list[tuple[str, Where]] = field(default_factory=list)
    """Lines of a requirements file, options included; paths are relative to the file's folder."""
    warnings: list[str] = field(default_factory=list)


def read_environment(data: bytes, shown: str, subdir: Subdir) -> EnvironmentFile:
    """Return what a file asks for on a platform. Raises ``SpecError`` with file and line.

    Selectors in comments (``# [osx]``, as conda-lock has them) and as keys (``sel(win):``, as
    micromamba has them) leave out what is for other platforms.
    """
    document = read_yaml(data, shown)
    reader = _Reader(document, shown, data.decode("utf-8-sig").splitlines(), subdir)
    reader.read()
    return reader.found


class _Reader:
    def __init__(self, document: Document, shown: str, text: list[str], subdir: Subdir) -> None:
        self.found = EnvironmentFile()
        self._document = document
        self._shown = shown
        self._text = text
        self._selected = _SELECTED[subdir]

    def read(self) -> None:
        values = self._document.values
        for key in values:
            if note := _ELSEWHERE.get(key) or (None if key in _KNOWN else "it is not used"):
                self.found.warnings.append(f"{self._where(key)}: {note}")
        for number, item in enumerate(self._list("channels")):
            self.found.channels.append(
                (self._word(item, "channels", number), self._where("channels", number))
            )
        for number, item in enumerate(self._list("dependencies")):
            self._dependency(item, number)
        if "dependencies" not in values:
            raise SpecError(
                "the file has no dependencies",
                where=Where(self._shown),
                expected="an environment.yml with `dependencies:`, a conda-lock.yml, a pixi.lock "
                "or an explicit file (`@EXPLICIT`)",
            )

    def _list(self, key: str) -> list[Any]:
        value = self._document.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise SpecError(
                f"'{key}' is not a list", where=self._where(key), expected="lines such as '- numpy'"
            )
        return value

    def _dependency(self, item: Any, number: int) -> None:
        where = self._where("dependencies", number)
        if item is None or not self._applies(where):
            return
        if not isinstance(item, dict):
            text = self._word(item, "dependencies", number)
            self.found.specs.append((text, where))
            return
        for key, value in item.items():
            if selector := _SEL_KEY.match(key):
                if selector["word"] in self._selected:
                    self.found.specs.append((str(value), where))
            elif key == "pip":
                self._pip(value, number)
            else:
                raise SpecError(
                    f"'{key}' is neither a match spec nor `pip`",
                    where=where,
                    found=f"{key}: {value}",
                    hint=f"write '{key}={value}', with '=' in place of the colon",
                )

    def _pip(self, value: Any, number: int) -> None:
        if value is None:
            return
        if not isinstance(value, list):
            raise SpecError(
                "'pip' is not a list",
                where=self._where("dependencies", number),
                expected="lines such as '- torch'",
            )
        for line, item in enumerate(value):
            where = self._where("dependencies", number, "pip", line)
            if item is not None and self._applies(where):
                self.found.pip.append((str(item), where))

    def _word(self, item: Any, key: str, number: int) -> str:
        if not isinstance(item, (str, int)) or isinstance(item, bool):
            raise SpecError(
                f"this entry of '{key}' is not text",
                where=self._where(key, number),
                found=str(item),
            )
        return str(item)

    def _applies(self, where: Where) -> bool:
        """Say whether a line's selector, if it has one, is of the platform."""
        line = self._text[where.line - 1] if where.line else ""
        match = _SELECTOR.search(line)
        return match is None or match["word"] in self._selected or match["word"] not in _OTHERS

    def _where(self, *path: str | int) -> Where:
        return Where(self._shown, self._document.line(path))
