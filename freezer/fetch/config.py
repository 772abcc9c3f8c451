"""The user's configuration of sources, which is never part of a lock.

Read from ``$FREEZER_CONFIG``, else ``$XDG_CONFIG_HOME/freezer/config.yaml``; a project's own
``.freezer.yaml`` overrides it, key by key.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from freezer.errors import ConfigError, SpecError, Where
from freezer.model import file_names

if TYPE_CHECKING:
    from pydantic import TypeAdapter

PROJECT_FILE = file_names.PROJECT_FILE
_HINT = "see docs/reference/configuration.md for the keys"


# Dataclasses, which pydantic validates where there is a file: most often there is none, and to load
# pydantic takes longer than many a command.
_STRICT: Final = {
    "extra": "forbid",
    "alias_generator": lambda name: name.replace("_", "-"),
    "populate_by_name": True,
}


@dataclass(frozen=True)
class PythonIndexConfig:
    """Python package indexes; missing values come from uv's and pip's configuration."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] | None = None
    find_links: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Sources:
    """Addresses by source."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    debian: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Archive label (``debian``, ``debian-security``) to root URLs, best first."""
    debian_snapshot: dict[str, str] = field(default_factory=dict)
    """Archive label to a URL of dated archives, with ``{timestamp}`` (``20261101T000000Z``)."""
    debian_keyring: str | None = None
    """OpenPGP keyring of the archive's signatures; needed only to make a base from packages."""
    pypi: PythonIndexConfig = PythonIndexConfig()
    conda: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Channel name to the addresses (URLs or folders) that serve it, best first; may contain a
    token (``/t/TOKEN/``), and ``${VARIABLES}``."""


@dataclass(frozen=True)
class Config:
    """All of the configuration."""

    __pydantic_config__: ClassVar[Any] = _STRICT

    sources: Sources = Sources()
    ledger: str | None = None
    """The URL of the ledger of runs, such as ``postgresql://user@host/runs``; may contain
    ``${VARIABLES}``. By default a file in the project: ``.freezer/ledger.db``."""
    insecure_registries: tuple[str, ...] = ()
    """``host:port`` of registries with plain http, which is always allowed for loopback ones."""

    @classmethod
    def model_validate(cls, document: Any) -> Config:
        """Return the configuration in a document. Raises pydantic's ``ValidationError``."""
        return _adapter().validate_python(document)


@cache
def _adapter() -> TypeAdapter[Config]:
    from pydantic import TypeAdapter

    return TypeAdapter(Config)


def load_config(project: Path | None = None) -> Config:
    """Return the configuration. Raises ``ConfigError`` with file and key."""
    files = [_user_file(), *([project / PROJECT_FILE] if project else [])]
    document: dict[str, Any] = {}
    for file in files:
        if part := _read(file):
            _validate(part, file)
            document = _merge(document, part)
    return Config.model_validate(document) if document else Config()


def _user_file() -> Path:
    if explicit := os.environ.get("FREEZER_CONFIG"):
        return Path(explicit)
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "freezer" / "config.yaml"


def _read(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        if str(file) == os.environ.get("FREEZER_CONFIG"):
            raise ConfigError(
                "the file in FREEZER_CONFIG does not exist", where=Where(str(file))
            ) from None
        return {}
    except OSError as error:
        raise ConfigError(
            "the configuration cannot be read", where=Where(str(file)), found=error.strerror
        ) from error
    if not data.strip():
        return {}
    from freezer.model.yaml_document import read_yaml

    try:
        return read_yaml(data, str(file), may_be_empty=True).values
    except SpecError as error:
        raise ConfigError(
            f"the configuration is invalid: {error.what}",
            where=error.where,
            found=error.found,
            expected=error.expected,
            hint=error.hint or _HINT,
        ) from None


def _validate(document: dict[str, Any], file: Path) -> None:
    from pydantic import ValidationError

    try:
        Config.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        unknown = first["type"] == "unexpected_keyword_argument"
        raise ConfigError(
            "unknown key" if unknown else "invalid value",
            where=Where(str(file), key=".".join(str(part) for part in first["loc"])),
            expected=None if unknown else first["msg"],
            hint=_HINT,
        ) from None


def _merge(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merge(below or {}, value) if both else value
    return merged
