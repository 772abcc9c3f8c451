"""``[tool.poetry]`` and ``[tool.pdm]`` next to ``[project]``: entries that affect a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from freezer.errors import SpecError, Where
from freezer.fetch.http.redact import redact
from freezer.fetch.python.settings import is_public_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_AS_UV = (
    "declare it for uv, which Freezer reads: `[[tool.uv.index]]` with name, url and "
    "`explicit = true`, and `[tool.uv.sources] NAME = {index = ...}`"
)
_OVERRIDES = (
    "write overrides for uv, which Freezer reads: `[tool.uv] override-dependencies = [...]`"
)
_GROUPS = "name it in [dependency-groups], and under `groups:` in the spec"


_PACKAGES = (
    ("pixi.dependencies", "pixi installs this from conda channels"),
    ("pixi.pypi-dependencies", "pixi installs this as well"),
    ("pixi.feature", "pixi installs the packages of its features"),
    ("conda-lock.dependencies", "conda-lock installs this from conda channels"),
)
"""Tables of packages that come in addition to ``[project]``: key below ``tool``, what it is."""


class OtherTools:
    """The tables of Poetry and PDM in one ``pyproject.toml``.

    A package or an index that only they name is an error with its line, as ignoring it would lock
    another package than intended. Entries for development tools are warnings.
    """

    def __init__(
        self, tool: Mapping[str, Any], shown: str, line: Callable[[str, str], int | None]
    ) -> None:
        self._tool = tool
        self._poetry, self._pdm = _table(tool, "poetry"), _table(tool, "pdm")
        self._shown, self._line = shown, line

    def warnings(self) -> Iterator[str]:
        """Yield what is not read, each with its line."""
        for key, what in _PACKAGES:
            tool, _, name = key.partition(".")
            if _table(self._tool, tool).get(name):
                yield f"{self._where(f'tool.{tool}', name)}: {what}, and is not read"
        for name in _table(self._poetry, "group"):
            where = self._where("tool.poetry.group", name)
            yield f"{where}: Poetry's group {name!r} is not read; {_GROUPS}"
        if self._poetry.get("dev-dependencies"):
            where = self._where("tool.poetry", "dev-dependencies")
            yield f"{where}: Poetry's dev-dependencies are not read; {_GROUPS}"
        for name in _table(self._pdm, "dev-dependencies"):
            where = self._where("tool.pdm.dev-dependencies", name)
            yield f"{where}: PDM's group {name!r} is not read; {_GROUPS}"
        for name, entry in _table(self._poetry, "dependencies").items():
            if name != "python" and not isinstance(entry, dict):
                where = self._where("tool.poetry.dependencies", name)
                yield f"{where}: Poetry's version of {name} is not read: [project] declares it"

    def refusals(self) -> Iterator[SpecError]:
        """Yield entries that would lead to another package, each with its line."""
        for key, tables in (("tool.poetry", self._poetry), ("tool.pdm", self._pdm)):
            sources = tables.get("source", [])
            for entry in sources if isinstance(sources, list) else []:
                if isinstance(entry, dict) and not _is_pypi(entry):
                    yield self._refused(
                        f"{key}.source",
                        str(entry.get("name")),
                        "an index",
                        redact(str(entry.get("url"))),
                    )
        for name, entry in _table(self._poetry, "dependencies").items():
            kinds = [
                kind
                for kind in ("source", "git", "path", "url", "file")
                if kind in _as_table(entry)
            ]
            if kinds:
                found = f"{kinds[0]} = {entry[kinds[0]]!r}"
                yield self._refused(
                    "tool.poetry.dependencies", name, f"the source of {name}", found
                )
        resolution = _table(self._pdm, "resolution")
        for key in ("overrides", "excludes"):
            if resolution.get(key):
                error = self._refused("tool.pdm.resolution", key, f"PDM's {key}", None)
                error.hint = _OVERRIDES
                yield error

    def _refused(self, table: str, text: str, what: str, found: str | None) -> SpecError:
        tool = "Poetry" if "poetry" in table else "PDM"
        return SpecError(
            f"{what} is declared for {tool} alone",
            where=self._where(table, text),
            found=found,
            hint=_AS_UV,
        )

    def _where(self, table: str, text: str) -> Where:
        return Where(self._shown, self._line(table, text), f"{table}.{text}")


def _is_pypi(entry: Mapping[str, Any]) -> bool:
    """Say whether a source is the public index; PDM's ``pypi`` may have another address."""
    url = entry.get("url")
    named = canonicalize_name(str(entry.get("name"))) == "pypi"
    return named and (url is None or is_public_index(str(url)))


def _table(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    return _as_table(table.get(name))


def _as_table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
