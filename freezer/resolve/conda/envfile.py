"""Parses ``environment.yml``: channels, match specs and pip part, each with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freezer.errors import SpecError, Where
from freezer.model.spec.faults import Faults
from freezer.model.yaml_document import Document, read_yaml
from freezer.resolve.conda.selectors import Selectors

if TYPE_CHECKING:
    from freezer.resolve.conda.solver.interface import Subdir

_SEL_KEY = re.compile(r"^sel\((?P<selector>.*)\)$")
_KNOWN = frozenset({"name", "channels", "dependencies", "prefix", "platforms", "category"})
_ELSEWHERE = {
    "variables": "environment variables are ignored: write them under `env:` in the spec",
    "pip-repositories": "package indexes are ignored: configure them for pip or uv",
}


@dataclass
class EnvironmentFile:
    """The contents of an ``environment.yml`` for one platform, in file order."""

    channels: list[tuple[str, Where]] = field(default_factory=list)
    specs: list[tuple[str, Where]] = field(default_factory=list)
    pip: list[tuple[str, Where]] = field(default_factory=list)
    """Lines of a requirements file, options included; paths are relative to the file's folder."""
    warnings: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    """Errors of its entries, each with its line."""


def read_environment(data: bytes, label: str, subdir: Subdir, python: str) -> EnvironmentFile:
    """Parse an ``environment.yml`` for one platform; errors of entries are collected.

    Raises ``SpecError`` when the file as a whole is not one. Entries are skipped when their
    selector excludes the platform or the Python version (``3.11``): comments (``# [osx]``) as in
    conda-lock, keys (``sel(win):``) as in micromamba.
    """
    document = read_yaml(data, label)
    text = data.decode("utf-8-sig").splitlines()
    reader = _Reader(document, label, text, Selectors(subdir, python))
    reader.read()
    return reader.found


class _Reader:
    def __init__(
        self, document: Document, label: str, text: list[str], selectors: Selectors
    ) -> None:
        self.found = EnvironmentFile()
        self._document = document
        self._shown = label
        self._text = text
        self._selectors = selectors
        self._lines: dict[int, bool] = {}
        """Whether the selector of a line admits the platform, by line number."""

    def read(self) -> None:
        values = self._document.values
        for key in values:
            if note := _ELSEWHERE.get(key) or (None if key in _KNOWN else "it is ignored"):
                self.found.warnings.append(f"{self._where(key)}: {note}")
        for number, item in enumerate(self._list("channels")):
            where = self._where("channels", number)
            with self.found.faults.collect():
                self._channel(item, where)
        for number, item in enumerate(self._list("dependencies")):
            with self.found.faults.collect():
                self._dependency(item, number)
        if "dependencies" not in values:
            raise SpecError(
                "the file has no dependencies",
                where=Where(self._shown),
                expected="an environment.yml with `dependencies:`, a conda-lock.yml, a pixi.lock "
                "or an explicit file (`@EXPLICIT`)",
            )

    def _channel(self, item: Any, where: Where) -> None:
        if self._applies(where):
            self.found.channels.append((self._word(item, where, "channels"), where))

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
            self.found.specs.append((self._word(item, where, "dependencies"), where))
            return
        for key, value in item.items():
            if selector := _SEL_KEY.match(key):
                self._selected_by_key(selector["selector"], value, where)
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

    def _selected_by_key(self, selector: str, value: Any, where: Where) -> None:
        """Add the entries under a ``sel(...)`` key where it admits the platform."""
        applies, rejected = self._selectors.evaluate(selector)
        if rejected or applies is None:
            raise SpecError(
                "this selector cannot be parsed",
                where=where,
                found=f"sel({selector})",
                expected="a platform such as sel(linux), sel(osx-arm64) or sel(not win)",
            )
        if applies:
            for item in value if isinstance(value, list) else [value]:
                self.found.specs.append((self._word(item, where, f"sel({selector})"), where))

    def _word(self, item: Any, where: Where, key: str) -> str:
        if not isinstance(item, (str, int)) or isinstance(item, bool):
            raise SpecError(f"this entry of '{key}' is not text", where=where, found=str(item))
        return str(item)

    def _applies(self, where: Where) -> bool:
        """Return whether a line's selector, if any, admits the platform."""
        if not where.line:
            return True
        if where.line not in self._lines:
            selected = self._selectors.of_line(self._text[where.line - 1])
            self._lines[where.line] = selected.applies
            kept = "the entry is kept" if selected.applies else "the entry is skipped"
            self.found.warnings += [f"{where}: {text}; {kept}" for text in selected.warnings]
        return self._lines[where.line]

    def _where(self, *path: str | int) -> Where:
        return Where(self._shown, self._document.line(path))
